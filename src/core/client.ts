import type { z } from 'zod';
import type { Endpoint, StreamEvent } from './endpoint.ts';
import { AppError, type ErrorKind } from './errors.ts';
import { parseEventStream } from './event-stream.ts';

/** Calls endpoints by their value: the path, the query or body and both types come from it. */
export interface Client {
  call<I extends z.ZodType, O extends z.ZodType>(endpoint: Endpoint<I, O>, input: z.input<I>, options?: CallOptions): Promise<z.output<O>>;
  stream<I extends z.ZodType, O extends z.ZodType>(
    endpoint: Endpoint<I, O>,
    input: z.input<I>,
    options?: CallOptions,
  ): AsyncIterable<StreamEvent<z.output<O>>>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly idempotencyKey?: string;
  readonly lastEventId?: string;
}

/** What a sensitive act asks for before it is done: the details of `owner.factor_needed`. */
export interface FactorNeed {
  /** What this agent takes; `password` stands for a second factor where none is enrolled. Empty: there is nothing to give yet. */
  readonly factors: readonly FactorKind[];
  /** Of a proof by passkey, which is good for this one request. */
  readonly challenge?: string;
  /** What the browser's authenticator is asked for (WebAuthn, section 5.5), when a passkey would do. */
  readonly passkey?: unknown;
  /** What was wrong with the one just given. */
  readonly problem?: string;
}

export type FactorKind = 'totp' | 'passkey' | 'recovery' | 'password';

export interface ClientOptions {
  /** The browser's or Node's own `fetch`. */
  readonly fetch: typeof globalThis.fetch;
  /** Empty in the browser, where addresses are relative. */
  readonly base: string;
  /** Read before each call: a token, a CSRF header. */
  readonly headers: () => Readonly<Record<string, string>>;
  /** Asks the person for a second factor; null gives up, and the refusal is thrown. Without it, it is thrown at once. */
  readonly askFactor?: (need: FactorNeed) => Promise<string | null>;
}

/** Whether this very request would pass with a second factor; a wrong code in the input of another says no such thing. */
function isAsking({ code, details }: AppError): boolean {
  return (code === 'owner.factor_needed' || code === 'owner.wrong_factor') && Array.isArray(details['factors']);
}

/** Throws the server's own AppErrors, and `agent.unreachable` when nobody answers. */
export function createClient({ fetch, base, headers, askFactor }: ClientOptions): Client {
  /** Where a second factor is needed, asks for it and sends the same request again. */
  async function send(endpoint: Endpoint, input: unknown, accept: string, options: CallOptions): Promise<Response> {
    let factor: string | null = null;
    for (;;) {
      const answer = await sendOnce(endpoint, input, accept, options, factor);
      if (answer instanceof Response) return answer;
      if (!askFactor || !isAsking(answer)) throw answer;
      factor = await askFactor(needOf(answer));
      if (factor === null) throw answer;
    }
  }

  async function sendOnce(
    endpoint: Endpoint,
    input: unknown,
    accept: string,
    { signal, idempotencyKey, lastEventId }: CallOptions,
    factor: string | null,
  ): Promise<Response | AppError> {
    const { url, body } = address(endpoint, (input ?? {}) as Record<string, unknown>);
    let response: Response;
    try {
      response = await fetch(`${base}${url}`, {
        method: endpoint.method,
        headers: {
          accept,
          ...headers(),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(idempotencyKey !== undefined && { 'idempotency-key': idempotencyKey }),
          ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
          ...(factor !== null && { 'castellan-factor': encodeURIComponent(factor) }),
        },
        ...(body !== undefined && { body }),
        ...(signal && { signal }),
      });
    } catch (cause) {
      if (signal?.aborted) throw cause;
      throw new AppError('unavailable', 'agent.unreachable', 'The agent does not answer', {}, cause);
    }
    return response.ok ? response : readError(response);
  }

  return {
    async call(endpoint, input, options = {}) {
      const response = await send(endpoint, input, 'application/json', options);
      return (await response.json()) as never; // our own server has checked it against the same schema
    },
    async *stream(endpoint, input, options = {}) {
      const response = await send(endpoint, input, 'text/event-stream', options);
      for await (const event of parseEventStream(response.body!)) yield { ...event, data: JSON.parse(event.data) as never };
    },
  };
}

function address({ method, path }: Endpoint, input: Record<string, unknown>): { url: string; body?: string } {
  const rest = { ...input };
  const url = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest[name];
    delete rest[name];
    return encodeURIComponent(String(value));
  });
  if (method !== 'GET' && method !== 'DELETE') return { url, body: JSON.stringify(rest) };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(rest))
    if (value !== undefined && value !== null) query.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  return { url: query.size > 0 ? `${url}?${query.toString()}` : url };
}

function needOf({ code, message, details }: AppError): FactorNeed {
  const { factors, challenge, passkey } = details as Partial<FactorNeed>;
  return {
    factors: factors ?? [],
    ...(challenge !== undefined && { challenge }),
    ...(passkey !== undefined && { passkey }),
    ...(code === 'owner.wrong_factor' && { problem: message }),
  };
}

async function readError(response: Response): Promise<AppError> {
  const { error } = ((await response.json().catch(() => ({}))) ?? {}) as {
    error?: { kind?: ErrorKind; code?: string; message?: string; details?: Record<string, unknown>; id?: string };
  };
  const kind = error?.kind ?? 'unavailable';
  return new AppError(kind, error?.code ?? `http.${response.status}`, error?.message ?? `The agent answered ${response.status}`, {
    ...error?.details,
    ...(error?.id && { errorId: error.id }),
  });
}
