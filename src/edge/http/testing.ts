import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { createBus, type Bus } from '#core/bus';
import { manualClock, type ManualClock } from '#core/clock';
import type { Caller, Route } from '#core/endpoint';
import { AppError } from '#core/errors';
import type { HttpDeps } from './ports.ts';
import { createHttp, type OwnerListener } from './server.ts';

declare module '#core/bus' {
  interface Events {
    'test.told': { readonly n: number; readonly text?: string };
    'other.told': { readonly n: number };
  }
}

export interface TestServer extends AsyncDisposable {
  readonly http: OwnerListener;
  readonly url: string;
  readonly bus: Bus;
  readonly clock: ManualClock;
  readonly logged: { message: string; fields: Readonly<Record<string, unknown>> | undefined }[];
  readonly denied: { actor: string; resource: string; details: Readonly<Record<string, unknown>> }[];
  readonly stop: () => Promise<void>;
}

const OWNER: Caller = { id: 'owner', grants: new Set(['*']) };

/** The credentials that test servers know: the cookie of the owner's session, a token for all, one that reads things only. */
export const SESSION = { cookie: 'castellan=good' };
export const CSRF = { 'x-csrf-token': 'csrf-of-good' };
export const TOKEN = { authorization: 'Bearer castellan_all' };
export const READER = { authorization: 'Bearer castellan_reader' };

/** A server on a free port of loopback with fake credentials; everything else is the real thing. */
export async function serve(routes: readonly Route[], more: Partial<HttpDeps> = {}): Promise<TestServer> {
  const bus = createBus(() => {});
  const clock = manualClock(1_000);
  const logged: TestServer['logged'] = [];
  const denied: TestServer['denied'] = [];
  const log = (message: string, fields?: Readonly<Record<string, unknown>>): void => void logged.push({ message, fields });
  const callers: Readonly<Record<string, Caller>> = {
    castellan_all: { ...OWNER, id: 'token:1' },
    castellan_reader: { id: 'token:2', grants: new Set(['things:read']) },
  };
  const http = createHttp({
    config: { host: '127.0.0.1', port: 0 },
    routes,
    auth: {
      session: async (cookie) => (cookie === 'good' ? { caller: OWNER, csrfToken: 'csrf-of-good' } : null),
      bearer: async (token) => callers[token] ?? null,
    },
    verifyFactor: async ({ given }) => {
      if (given !== '123456') throw new AppError('forbidden', 'owner.factor_needed', 'A second factor, please', { factors: ['totp'] });
    },
    decide: ({ grants }, needed) => ({ effect: grants.has('*') || grants.has(needed) ? 'allow' : 'deny', reason: '' }),
    health: () => ({ ok: true, detail: 'all parts' }),
    ready: () => true,
    version: '1.2.3',
    staticDir: '/nonexistent',
    bus,
    clock,
    log: { warn: log, error: log },
    audit: { record: async (entry) => void denied.push(entry) },
    ...more,
  });
  const running = await http.start({ signal: new AbortController().signal, exit: () => {} });
  const { url } = http.address()!;
  return { http, url, bus, clock, logged, denied, stop: running.stop, [Symbol.asyncDispose]: running.stop };
}

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: unknown;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: any; // oxlint-disable-line typescript/no-explicit-any -- tests look into answers of every shape
}

/** One request by Node's own client, which, unlike `fetch`, sends any header as told. */
export async function call(url: string, { method = 'GET', headers = {}, body }: Call = {}): Promise<Answered> {
  const isJson = body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body);
  const req = request(url, { method, headers: { ...(isJson && { 'content-type': 'application/json' }), ...headers }, agent: false });
  req.end(isJson ? JSON.stringify(body) : body);
  const [res] = (await once(req, 'response')) as [IncomingMessage];
  const text = (await res.toArray()).join('');
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: res.statusCode!, headers: res.headers, text, json };
}

export interface Heard {
  readonly id?: string;
  readonly event?: string;
  readonly data: any; // oxlint-disable-line typescript/no-explicit-any -- tests look into events of every shape
}

/** A reader of server-sent events over a socket of its own. */
export interface Listening extends AsyncDisposable {
  readonly status: number;
  readonly headers: Headers;
  /** The next `count` events; rejects when the stream ends before. */
  take(count: number): Promise<Heard[]>;
  /** Comments seen so far: the heartbeats. */
  comments(): number;
  /** Everything until the end. */
  rest(): Promise<Heard[]>;
}

export async function listen(url: string, headers: Readonly<Record<string, string>> = {}, init: RequestInit = {}): Promise<Listening> {
  const abort = new AbortController();
  const response = await fetch(url, { ...init, headers: { accept: 'text/event-stream', ...headers }, signal: abort.signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const ready: Heard[] = [];
  let buffered = '';
  let comments = 0;

  async function more(): Promise<boolean> {
    const { done, value = '' } = await reader.read();
    const blocks = (buffered + value).split('\n\n');
    buffered = blocks.pop()!;
    for (const block of blocks) {
      const fields = block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const);
      const field = (name: string): string | undefined => fields.find(([key]) => key === name)?.[1];
      const [id, event, data] = [field('id'), field('event'), field('data')];
      if (data === undefined) comments += 1;
      else ready.push({ ...(id !== undefined && { id }), ...(event !== undefined && { event }), data: JSON.parse(data) });
    }
    return !done;
  }

  return {
    status: response.status,
    headers: response.headers,
    async take(count) {
      while (ready.length < count) if (!(await more())) throw new Error(`the stream ended after ${ready.length} of ${count} events`);
      return ready.splice(0, count);
    },
    comments: () => comments,
    async rest() {
      while (await more());
      return ready.splice(0);
    },
    async [Symbol.asyncDispose]() {
      abort.abort();
      await reader.cancel().catch(() => {});
    },
  };
}
