import { z } from 'zod';
import { AppError } from './errors.ts';

/** Who is asking: the owner's session, an API token, a channel sender, a run. */
export interface Caller {
  /** `owner`, `token:<id>`, `channel:<id>`, `run:<id>`; what the audit names. */
  readonly id: string;
  /** Capabilities held; `*` is all of them. */
  readonly grants: ReadonlySet<string>;
}

/**
 * One HTTP endpoint as data, free of behaviour, so that the browser and the command line import it too: from it come
 * the route, the OpenAPI document and the typed call of every client.
 */
export interface Endpoint<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Absolute, with parameters in braces: `/api/runs/{id}`. A parameter is a field of the input. */
  readonly path: `/${string}`;
  /** The capability needed. Required: no endpoint without one. `public` is open to anyone and stands out in review. */
  readonly grant: string;
  /** One sentence for the API reference. */
  readonly summary: string;
  /** Path parameters, then query (GET, DELETE) or JSON body (POST, PUT), as one strict object. Query values arrive as text. */
  readonly input: I;
  readonly output: O;
  /** Success status; 200 unless said otherwise. */
  readonly status?: 200 | 201 | 202;
  /** The answer is a stream of server-sent events, each with data of the shape `output`. */
  readonly stream?: boolean;
  /** Shape of the one answer a stream endpoint gives instead to `Accept: application/json`; `{ events }` when left out. */
  readonly whole?: z.ZodType;
  /** Largest body taken, in bytes; 1 MiB unless said otherwise. */
  readonly maxBodyBytes?: number;
  /**
   * A sensitive act: the request must carry a fresh second factor in its header `Castellan-Factor` (the password, where none is enrolled),
   * else it is refused with `owner.factor_needed`. `when_enrolled`: only once there is a factor. An endpoint that needs it only
   * sometimes asks with `assertFactor`.
   */
  readonly secondFactor?: true | 'when_enrolled';
}

export function endpoint<I extends z.ZodType, O extends z.ZodType>(it: Endpoint<I, O>): Endpoint<I, O> {
  return it;
}

/** What a handler may know of its request beyond the input. */
export interface Request {
  readonly caller: Caller;
  readonly signal: AbortSignal;
  /** The `Idempotency-Key` header, when sent. */
  readonly idempotencyKey?: string;
  /** The `Last-Event-ID` header of a resumed stream. */
  readonly lastEventId?: string;
  /** Absent where there is no HTTP between: the command line without an agent, MCP, tests. */
  readonly connection?: Connection;
  /** Resolves when this request carried a fresh second factor, else throws `owner.factor_needed`; see `assertFactor`. */
  readonly factor?: () => Promise<void>;
}

/** For a handler whose act is sensitive only sometimes; throws `owner.factor_needed`, also where nobody can be asked. */
export async function assertFactor({ factor }: Pick<Request, 'factor'>): Promise<void> {
  if (!factor)
    throw new AppError('forbidden', 'owner.factor_needed', 'That needs your second factor: do it in the browser or on the command line', {
      factors: [],
    });
  await factor();
}

/** The other end of an HTTP request, and its browser session. */
export interface Connection {
  /** IP address of the client; behind a trusted proxy, the one the proxy saw. */
  readonly address: string;
  /** The `User-Agent` header, or empty; at most 300 characters. */
  readonly userAgent: string;
  /** Ours, as this client addressed us and the guard let it: `https://castle.example:4848`. */
  readonly origin: string;
  /** Name in the client certificate it came with, where one is asked for; checked. */
  readonly certificate?: string;
  /** The session cookie as sent, not yet believed. */
  readonly sessionToken?: string;
  /** Gives the browser its session cookie with the answer; a stream cannot. */
  setSession(token: string, maxAgeS: number): void;
  clearSession(): void;
}

/** One server-sent event (HTML Living Standard, section 9.2); `data` is sent as JSON. */
export interface StreamEvent<T> {
  readonly id?: string;
  readonly event?: string;
  readonly data: T;
}

/** An endpoint with its behaviour: what a module's `routes.ts` exports and the server mounts. */
export interface Route {
  readonly endpoint: Endpoint;
  readonly handle: (input: never, request: Request) => Promise<unknown> | AsyncIterable<StreamEvent<unknown>>;
  /** Of a stream: the answer in one piece, of the shape `endpoint.whole`. */
  readonly whole?: (input: never, request: Request) => Promise<unknown>;
}

export function route<I extends z.ZodType, O extends z.ZodType>(
  endpoint: Endpoint<I, O>,
  handle: (input: z.output<I>, request: Request) => Promise<z.input<O>>,
): Route {
  return { endpoint, handle: handle as Route['handle'] };
}

/**
 * A route that answers with a stream; its iterator is returned when the client goes away, so end waits on `request.signal`.
 * `whole` answers those who asked for JSON; without it they get the events collected.
 */
export function streamRoute<I extends z.ZodType, O extends z.ZodType>(
  endpoint: Endpoint<I, O>,
  handle: (input: z.output<I>, request: Request) => AsyncIterable<StreamEvent<z.input<O>>>,
  whole?: (input: z.output<I>, request: Request) => Promise<unknown>,
): Route {
  return { endpoint, handle: handle as Route['handle'], ...(whole && { whole: whole as NonNullable<Route['whole']> }) };
}

/** The query of every list: a page size and the cursor of the page before. */
export const Page = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  cursor: z.string().optional(),
});

/** The answer of every list. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable() });
}

/** An answer with nothing to say. */
export const Done = z.object({ ok: z.literal(true) });
