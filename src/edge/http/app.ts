import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import cookie from '@fastify/cookie';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { memberOf } from '#core/config/networks';
import type { Route } from '#core/endpoint';
import type { Json } from '#core/json';
import { redactJson } from '#core/redact';
import { uuidv7 } from '#core/ids';
import type { Clients } from './clients.ts';
import type { Denial } from './denials.ts';
import { createEventFeed, eventRoutes } from './event-feed.ts';
import { failureOf, type Failure } from './failure.ts';
import { createGuard } from './guard.ts';
import { setSecurityHeaders } from './headers.ts';
import { createTraffic, metricsRoute } from './metrics.ts';
import { mountRaw, mountRoute, type MountDeps } from './mount.ts';
import { createNotFound } from './not-found.ts';
import { openApi } from './openapi.ts';
import type { RawRoute } from '#core/raw-route';
import type { HttpDeps } from './ports.ts';
import { probeRoutes } from './probes.ts';
import { createStrangerRate } from './rate.ts';
import { tlsListenerOptions, type LoadedTls } from './tls.ts';

const MAX_BODY_BYTES = 1024 * 1024;
/** A sender who dribbles is cut off: the head has 10 s, all of a request 30 s, looked at every 2 s. */
const SLOWEST = { headersTimeout: 10_000, connectionsCheckingInterval: 2_000, maxHeaderSize: 16 * 1024 };

/** What of the server is there before the app is. */
export interface Listening {
  /** Ends its streams. */
  readonly closing: AbortSignal;
  readonly tls: LoadedTls | null;
  /** Who has a certificate, where one is asked for. */
  readonly clients: Clients | null;
  /** Records a refusal. */
  readonly onDenial: (denial: Denial) => void;
}

/** The Fastify instance with everything on it, not yet listening. */
export async function buildApp(deps: HttpDeps, { closing, tls, clients, onDenial }: Listening): Promise<FastifyInstance> {
  const { clock, log, version } = deps;
  const traffic = createTraffic();
  const guard = createGuard({ ...deps, clients, countStranger: createStrangerRate(clock), onDenial });
  const feed = createEventFeed({ bus: deps.bus, boot: randomBytes(6).toString('hex'), signal: closing, redact: deps.redact });

  const routes: readonly Route[] = [...deps.routes, ...probeRoutes(deps), ...eventRoutes(feed)];
  const rawRoutes: readonly RawRoute[] = [
    ...(deps.rawRoutes ?? []),
    metricsRoute(traffic, deps.metrics ?? (() => []), version),
    contractRoute(() => openApi(routes, rawRoutes, version)),
  ];

  const app = bareApp(deps, tls, fail);
  await app.register(cookie);
  app.decorateRequest('caller');
  app.decorateRequest('certificate');
  app.addHook('onRequest', async (request, reply) => {
    setSecurityHeaders(reply.raw, request.protocol === 'https');
    reply.raw.setHeader('x-request-id', request.id);
    request.caller = await guard(request);
  });
  app.addHook('onResponse', async (request, reply) => traffic.count(request, reply));
  app.setErrorHandler(fail);
  app.setNotFoundHandler(createNotFound({ staticDir: deps.staticDir, known: [...routes.map(({ endpoint }) => endpoint), ...rawRoutes] }));

  const onFailure = (thrown: unknown, request: FastifyRequest): unknown => reported(thrown, request).body;
  const mounting: MountDeps = { app, clock, closing, verifyFactor: deps.verifyFactor, readmit: guard, onFailure };
  takeOnlyJson(app);
  for (const route of routes) mountRoute(route, mounting);
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const raw of rawRoutes) mountRaw(raw, { ...mounting, app: scope });
  });
  return app;

  function reported(thrown: unknown, request: FastifyRequest): Failure {
    const failure = failureOf(thrown, request.id);
    if (failure.isBug)
      log.error('a request failed', { id: request.id, method: request.method, route: request.routeOptions.url ?? '*', error: thrown });
    return failure;
  }

  async function fail(thrown: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { status, body, retryAfterSeconds } = reported(thrown, request);
    if (retryAfterSeconds !== undefined) void reply.header('retry-after', Math.max(1, Math.ceil(retryAfterSeconds)));
    if (status === 401) void reply.header('www-authenticate', 'Bearer');
    await reply
      .code(status)
      .type('application/json; charset=utf-8')
      .send(JSON.stringify(deps.redact ? redactJson(deps.redact, body as unknown as Json) : body));
  }
}

type Fail = (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => Promise<void>;

function bareApp({ config }: HttpDeps, tls: LoadedTls | null, fail: Fail): FastifyInstance {
  const { trustedProxies = [] } = config;
  const options = {
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: 30_000,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    genReqId: uuidv7(),
    routerOptions: { maxParamLength: 500 },
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    ...(trustedProxies.length > 0 && { trustProxy: memberOf(trustedProxies) }),
    frameworkErrors: (error: unknown, request: unknown, reply: unknown) =>
      void fail(error, request as FastifyRequest, reply as FastifyReply),
    clientErrorHandler: refuseMalformed,
  } as const;
  if (!tls || !config.tls) return fastify({ ...options, http: SLOWEST });
  return fastify({ ...options, https: { ...SLOWEST, ...tlsListenerOptions(config.tls), ...tls.context } }) as unknown as FastifyInstance;
}

/** Stands in for Ajv and its kin, which would cost 20 ms at start: zod reads every input here. */
function noCompiler(): never {
  throw new Error('no route here has a JSON schema');
}

/** JSON or nothing: a form or a text, which any page may send without asking, is refused by its type. */
function takeOnlyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) done(null, undefined);
    else void parse(request, body as string, done);
  });
}

/** `GET /api/openapi.json`, made when first asked for. */
function contractRoute(make: () => unknown): RawRoute {
  let text: string | undefined;
  return {
    method: 'GET',
    path: '/api/openapi.json',
    grant: 'api:read',
    summary: 'This document.',
    async handle(_req, res) {
      text ??= JSON.stringify(make());
      res.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(text);
    },
  };
}

/** What is no HTTP at all (or came too slowly) gets a bare answer and a closed socket. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? '408 Request Timeout'
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
