import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Clock } from '#core/clock';
import type { Caller, Connection, Endpoint, Request, Route, StreamEvent } from '#core/endpoint';
import { AppError } from '#core/errors';
import { check } from '#core/json';
import { sessionCookie } from '#owner';
import { factorCheck } from './factor.ts';
import type { RawRoute } from '#core/raw-route';
import type { VerifyFactor } from './ports.ts';
import { sendEvents } from './sse.ts';
import { watched } from './watch.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the guard before anything else runs. */
    caller: Caller;
    /** The name in the client's certificate, where one is asked for. */
    certificate: string | undefined;
  }
  interface FastifyContextConfig {
    /** The capability needed; a route without one lets nobody in. */
    grant?: string;
    /** Headers beside `Authorization` that may carry the token. */
    keyHeaders?: readonly string[];
  }
}

/** Events that a stream may gather for one JSON answer. */
const MOST_GATHERED = 10_000;

export interface MountDeps {
  readonly app: FastifyInstance;
  readonly clock: Clock;
  /** Aborted when the server closes; ends every stream. */
  readonly closing: AbortSignal;
  readonly verifyFactor: VerifyFactor;
  /** The guard again: throws when the request would not be let in now. */
  readonly readmit: (request: FastifyRequest) => Promise<unknown>;
  /** Logs what was thrown where it is a bug, and says what to tell the client. */
  readonly onFailure: (thrown: unknown, request: FastifyRequest) => unknown;
}

/** `/api/runs/{id}` in the words of the router: `/api/runs/:id`. */
export const routerPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

/** Puts an endpoint on the server: input read by its schema, answer written by its schema. */
export function mountRoute(route: Route, { app, clock, closing, verifyFactor, readmit, onFailure }: MountDeps): void {
  const { endpoint } = route;

  async function stream(input: never, about: Request, reply: FastifyReply): Promise<void> {
    await sendEvents(route.handle(input, about) as AsyncIterable<StreamEvent<unknown>>, {
      res: reply.raw,
      signal: about.signal,
      clock,
      read: (data) => endpoint.output.parse(data),
      onOpen: () => void reply.hijack(),
      onFailure: (thrown) => onFailure(thrown, reply.request),
    });
  }

  async function whole(input: never, about: Request): Promise<unknown> {
    const answer = route.whole
      ? await route.whole(input, about)
      : { events: await gather(route.handle(input, about) as AsyncIterable<StreamEvent<unknown>>, endpoint.output) };
    return endpoint.whole ? endpoint.whole.parse(answer) : answer;
  }

  app.route({
    method: endpoint.method,
    url: routerPath(endpoint.path),
    config: { grant: endpoint.grant },
    ...(endpoint.maxBodyBytes !== undefined && { bodyLimit: endpoint.maxBodyBytes }),
    async handler(request, reply) {
      const input = readInput(endpoint, request) as never;
      const connection = connectionOf(request, reply);
      const checkFactor = factorCheck(request, connection, input, verifyFactor);
      // After the input was read: a mistake in it must not use up a code.
      if (endpoint.secondFactor) await checkFactor(endpoint.secondFactor === 'when_enrolled');
      const gone = signalOf(reply.raw, closing, endpoint.stream === true);
      const signal = endpoint.stream ? watched(gone, reply.raw, clock, () => readmit(request)) : gone;
      const about = describe(request, connection, signal, checkFactor);
      if (endpoint.stream && !asksForJson(request)) return stream(input, about, reply);
      const answer = endpoint.stream ? await whole(input, about) : endpoint.output.parse(await route.handle(input, about));
      reply.code(endpoint.status ?? 200).type('application/json; charset=utf-8');
      return reply.send(JSON.stringify(answer));
    },
  });
}

/** Puts a raw route on the server: guarded like any other, its body left unread. */
export function mountRaw({ method, path, grant, keyHeaders, handle }: RawRoute, { app, closing, onFailure }: MountDeps): void {
  app.route({
    method,
    url: routerPath(path),
    config: { grant, ...(keyHeaders && { keyHeaders }) },
    async handler(request, reply) {
      const { caller, id, raw: req } = request;
      const res = reply.raw;
      try {
        await handle(req, res, { caller, id, params: request.params as Record<string, string>, signal: signalOf(res, closing, true) });
        reply.hijack();
      } catch (error) {
        if (!res.headersSent) throw error;
        reply.hijack();
        onFailure(error, request);
        res.destroy();
      }
    },
  });
}

/** Path parameters and, by method, the query or the body, as one object. */
function readInput(endpoint: Endpoint, request: FastifyRequest): unknown {
  const params = request.params as Readonly<Record<string, string>>;
  const query = request.query as Readonly<Record<string, unknown>>;
  const hasBody = endpoint.method === 'POST' || endpoint.method === 'PUT';
  const stray = hasBody ? Object.keys(query)[0] : undefined;
  if (stray !== undefined) throw invalid('Query', stray, 'this endpoint takes its input from the body');
  const rest = hasBody ? (request.body ?? {}) : query;
  if (typeof rest !== 'object' || Array.isArray(rest)) throw invalid('Body', '', 'expected a JSON object');
  const given = rest as Readonly<Record<string, unknown>>;
  const twice = Object.keys(params).find((name) => Object.hasOwn(given, name) && given[name] !== params[name]);
  if (twice !== undefined) throw invalid(hasBody ? 'Body' : 'Query', twice, 'differs from the same field in the path');
  return check({ ...given, ...params }, endpoint.input, hasBody ? 'Body' : 'Query');
}

function invalid(what: string, field: string, message: string): AppError {
  return new AppError('invalid', 'input.invalid', field ? `${what}: ${field}: ${message}` : `${what}: ${message}`, {
    issues: [{ field, message }],
  });
}

function describe(
  request: FastifyRequest,
  connection: Connection,
  signal: AbortSignal,
  checkFactor: (whenEnrolled: boolean) => Promise<void>,
): Request {
  const idempotencyKey = headerText(request, 'idempotency-key', 255);
  const lastEventId = headerText(request, 'last-event-id', 255);
  return {
    caller: request.caller,
    signal,
    connection,
    factor: () => checkFactor(false),
    ...(idempotencyKey !== undefined && { idempotencyKey }),
    ...(lastEventId !== undefined && { lastEventId }),
  };
}

function headerText(request: FastifyRequest, name: string, longest: number): string | undefined {
  const value = request.headers[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string' && value.length <= longest) return value;
  throw invalid('Headers', name, `at most ${longest} characters, once`);
}

function connectionOf(request: FastifyRequest, reply: FastifyReply): Connection {
  const { name, attributes } = sessionCookie(request.protocol === 'https');
  const token = request.cookies[name];
  return {
    address: request.ip ?? 'local', // a socket of the file system has no address
    userAgent: (request.headers['user-agent'] ?? '').slice(0, 300),
    ...(request.certificate !== undefined && { certificate: request.certificate }),
    origin: `${request.protocol}://${request.host.toLowerCase()}`,
    ...(token && { sessionToken: token }),
    setSession: (value, maxAgeS) => void reply.setCookie(name, value, { ...attributes, maxAge: maxAgeS }),
    clearSession: () => void reply.clearCookie(name, { ...attributes, maxAge: 0 }),
  };
}

/** Aborted when the client goes before the answer is whole; for a stream, also when the server closes. */
function signalOf(res: ServerResponse, closing: AbortSignal, isLong: boolean): AbortSignal {
  const gone = new AbortController();
  const end = (): void => gone.abort();
  if (isLong) closing.addEventListener('abort', end, { once: true });
  if (isLong && closing.aborted) end();
  res.once('close', () => {
    closing.removeEventListener('abort', end);
    if (!res.writableFinished) end();
  });
  return gone.signal;
}

function asksForJson({ headers }: FastifyRequest): boolean {
  const accept = headers.accept ?? '';
  return accept.includes('application/json') && !accept.includes('text/event-stream');
}

async function gather(events: AsyncIterable<StreamEvent<unknown>>, output: z.ZodType): Promise<StreamEvent<unknown>[]> {
  const all: StreamEvent<unknown>[] = [];
  for await (const event of events) {
    if (all.push({ ...event, data: output.parse(event.data) }) > MOST_GATHERED)
      throw new AppError(
        'limited',
        'http.too_many_events',
        `More than ${MOST_GATHERED} events: read them as a stream (Accept: text/event-stream)`,
      );
  }
  return all;
}
