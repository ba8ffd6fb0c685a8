import { z } from 'zod';

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
}

export function route<I extends z.ZodType, O extends z.ZodType>(
  endpoint: Endpoint<I, O>,
  handle: (input: z.output<I>, request: Request) => Promise<z.input<O>>,
): Route {
  return { endpoint, handle: handle as Route['handle'] };
}

/** A route that answers with a stream; its iterator is returned when the client goes away. */
export function streamRoute<I extends z.ZodType, O extends z.ZodType>(
  endpoint: Endpoint<I, O>,
  handle: (input: z.output<I>, request: Request) => AsyncIterable<StreamEvent<z.input<O>>>,
): Route {
  return { endpoint, handle: handle as Route['handle'] };
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
