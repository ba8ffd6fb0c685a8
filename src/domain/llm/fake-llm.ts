import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Json } from '#core/json';
import { anthropicWire } from './fake/anthropic.ts';
import { googleWire } from './fake/google.ts';
import { ollamaWire } from './fake/ollama.ts';
import { chatWire, openaiError, responsesWire } from './fake/openai.ts';
import { defaultReply } from './fake/reply.ts';
import { fakeVector } from './fake/vector.ts';
import type { FakeError, FakeUsage, FakeWire, Loose, Turn, Understood } from './fake/wire.ts';

export type { FakeError, FakeUsage } from './fake/wire.ts';

const WIRES: readonly FakeWire[] = [anthropicWire, responsesWire, chatWire, googleWire, ollamaWire];

/** How the fake answers one request. An empty reply greets; see `defaultReply` for what it makes of tools and schemas. */
export interface Reply {
  readonly text?: string;
  readonly reasoning?: string;
  readonly toolCalls?: readonly { readonly name: string; readonly input: Json; readonly id?: string }[];
  readonly finish?: Turn['finish'];
  readonly usage?: Partial<FakeUsage>;
  /** Pieces the text is streamed in; about twelve characters each when left out. */
  readonly chunks?: number;
  /** Before the first byte; Infinity never answers. */
  readonly delayMs?: number;
  readonly chunkDelayMs?: number;
  /** An error as the vendor documents it, with its status. */
  readonly error?: FakeError;
  readonly retryAfterSeconds?: number;
  /** Raw: this status and body, whatever the vendor. */
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** After so many pieces of text (0: at once) the stream goes wrong. */
  readonly fault?: { readonly after: number; readonly how: 'drop' | 'stall' | 'end' | 'malformed' | 'error' };
  readonly vectors?: readonly (readonly number[])[];
}

export interface FakeRequest extends Understood {
  readonly vendor: FakeWire['vendor'];
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The key the client sent, by whichever header. */
  readonly key: string;
  readonly body: Loose;
  /** The client went away before the answer was complete. */
  readonly aborted: boolean;
  /** Resolves when the answer is complete or the client gone. */
  readonly closed: Promise<void>;
}

export type Script = (request: FakeRequest, index: number) => Reply | Promise<Reply>;

export interface FakeLlm extends AsyncDisposable {
  /** Base address without a version path, for every vendor alike. */
  readonly url: string;
  /** Every request to a model or for embeddings, oldest first. */
  readonly requests: readonly FakeRequest[];
  /** The next requests are answered so, one each, before the script is asked. */
  reply(...replies: readonly Reply[]): void;
  /** Resolves with the request of this index, at once or when it comes. */
  request(index: number): Promise<FakeRequest>;
  close(): Promise<void>;
}

export interface FakeOptions {
  readonly script?: Script;
  readonly models?: readonly string[];
  /** Says that it is Ollama when asked for its version. */
  readonly ollama?: boolean;
}

/** A real server on a free port of 127.0.0.1 that speaks Anthropic Messages, OpenAI Responses, Chat Completions, embeddings, Gemini and Ollama's chat. */
export async function startFakeLlm({
  script = defaultReply,
  models = ['fake-1', 'fake-2'],
  ollama = false,
}: FakeOptions = {}): Promise<FakeLlm> {
  const requests: FakeRequest[] = [];
  const queue: Reply[] = [];
  const waiting: { index: number; resolve: (request: FakeRequest) => void }[] = [];
  let ids = 0;

  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => response.destroy(error as Error));
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://fake');
    const body = await readBody(incoming);
    if (ollama && url.pathname === '/api/version') return sendJson(response, 200, { version: '0.20.0' });
    if (incoming.method === 'GET') return listModels(url.pathname, models, response);
    if (url.pathname.endsWith('/count_tokens')) return sendJson(response, 200, { input_tokens: estimate(JSON.stringify(body)) });

    const wire = WIRES.find((it) => it.path.test(url.pathname));
    const embedding = /\/embeddings$|:(batchEmbedContents|embedContent)$/.test(url.pathname);
    if (!wire && !embedding)
      return sendJson(response, 404, { error: { type: 'not_found_error', message: `No route ${incoming.method} ${url.pathname}` } });

    const understood = wire?.understand(body, url.pathname) ?? understandEmbedding(body, url.pathname);
    const request = record(
      incoming,
      response,
      wire?.vendor ?? (url.pathname.includes('mbedContent') ? 'google' : 'openai'),
      url,
      body,
      understood,
    );
    const reply = queue.shift() ?? (await script(request, requests.length - 1));
    if (!(await pause(reply.delayMs ?? 0, response))) return;

    const about = { model: understood.model, key: request.key, retryAfterSeconds: reply.retryAfterSeconds ?? 7 };
    if (reply.status !== undefined) return sendJson(response, reply.status, reply.body ?? {}, reply.headers);
    if (reply.error) {
      const error = wire?.error(reply.error, about) ?? openaiError(reply.error, about);
      return sendJson(response, error.status, error.body, { ...error.headers, ...reply.headers });
    }
    if (!wire) return sendJson(response, 200, embeddingAnswer(body, url.pathname, reply), reply.headers);
    const turn = turnOf(reply, understood, body, String((ids += 1)));
    if (!understood.stream) return sendJson(response, 200, wire.whole(turn), reply.headers);
    await stream(response, wire, turn, reply, about);
  }

  function record(
    incoming: IncomingMessage,
    response: ServerResponse,
    vendor: FakeWire['vendor'],
    url: URL,
    body: Loose,
    understood: Understood,
  ): FakeRequest {
    let aborted = false;
    const closed = new Promise<void>((resolve) => {
      response.once('close', () => {
        aborted = !response.writableFinished;
        resolve();
      });
    });
    const { headers } = incoming;
    const key = String(
      headers['x-api-key'] ??
        headers['x-goog-api-key'] ??
        headers.authorization?.replace(/^Bearer /, '') ??
        url.searchParams.get('key') ??
        '',
    );
    const request: FakeRequest = {
      ...understood,
      vendor,
      method: incoming.method ?? '',
      path: url.pathname + url.search,
      headers,
      key,
      body,
      closed,
      get aborted() {
        return aborted;
      },
    };
    const index = requests.push(request) - 1;
    for (const it of waiting) if (it.index === index) it.resolve(request);
    return request;
  }

  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));

  async function close(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    reply: (...replies) => void queue.push(...replies),
    request: (index) => new Promise((resolve) => (requests[index] ? resolve(requests[index]) : waiting.push({ index, resolve }))),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function stream(
  response: ServerResponse,
  wire: FakeWire,
  turn: Turn,
  reply: Reply,
  about: Parameters<FakeWire['error']>[1],
): Promise<void> {
  const { head, pieces, tail } = wire.frames(turn);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', ...reply.headers });
  response.write(head.join(''));
  for (const [index, piece] of [...pieces, null].entries()) {
    if (reply.fault?.after === index) return breakOff(response, reply.fault.how, wire.errorFrame('overloaded', about));
    if (piece === null) break;
    if (!(await pause(reply.chunkDelayMs ?? 0, response))) return;
    response.write(piece);
  }
  response.end(tail.join(''));
}

function breakOff(response: ServerResponse, how: NonNullable<Reply['fault']>['how'], errorFrame: string): void {
  // A tick later, so that what was written before has left.
  if (how === 'drop') setImmediate(() => response.destroy());
  if (how === 'end') response.end();
  if (how === 'malformed') response.end('data: {"broken": \n\n'); // Neither an event nor a line of JSON.
  if (how === 'error') response.end(errorFrame);
}

function turnOf(reply: Reply, { model }: Understood, body: Loose, id: string): Turn {
  const text = reply.text ?? '';
  const toolCalls = (reply.toolCalls ?? []).map((call, index) => ({ id: `call_${id}_${index}`, ...call }));
  const usage = { input: estimate(JSON.stringify(body)), output: Math.max(1, estimate(text)), cached: 0, reasoning: 0, ...reply.usage };
  return {
    id,
    model,
    pieces: piecesOf(text, reply.chunks),
    reasoning: reply.reasoning ?? '',
    toolCalls,
    finish: reply.finish ?? (toolCalls.length > 0 ? 'tool_calls' : 'stop'),
    usage,
  };
}

/** Whole characters only: a vendor never splits one either. */
function piecesOf(text: string, count?: number): string[] {
  const letters = Array.from(text);
  const size = count === undefined ? 12 : Math.max(1, Math.ceil(letters.length / count));
  return Array.from({ length: Math.ceil(letters.length / size) }, (_, index) => letters.slice(index * size, (index + 1) * size).join(''));
}

/** False when the client left meanwhile. */
async function pause(ms: number, response: ServerResponse): Promise<boolean> {
  if (ms > 0) {
    await new Promise<void>((resolve) => {
      const timer = ms === Infinity ? undefined : setTimeout(resolve, ms);
      response.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
  return !response.destroyed;
}

function understandEmbedding(body: Loose, path: string): Understood {
  const model = /\/models\/([^/:]+):/.exec(path)?.[1] ?? body['model'];
  return { model, stream: false, system: '', prompt: embeddingTexts(body).join('\n'), toolResults: [], tools: [] };
}

function embeddingTexts(body: Loose): string[] {
  const google: Loose[] = body['requests'] ?? (body['content'] ? [body] : []);
  if (google.length > 0) return google.map((it) => String(it['content']?.parts?.[0]?.text ?? ''));
  return [body['input'] ?? []].flat().map(String);
}

function embeddingAnswer(body: Loose, path: string, reply: Reply): unknown {
  const texts = embeddingTexts(body);
  const dimensions: number = body['dimensions'] ?? body['outputDimensionality'] ?? body['requests']?.[0]?.outputDimensionality ?? 8;
  const vectors = reply.vectors ?? texts.map((text) => fakeVector(text, dimensions));
  if (path.endsWith(':embedContent')) return { embedding: { values: vectors[0] } };
  if (path.endsWith(':batchEmbedContents')) return { embeddings: vectors.map((values) => ({ values })) };
  const tokens = reply.usage?.input ?? estimate(texts.join(''));
  return {
    object: 'list',
    model: body['model'],
    data: vectors.map((embedding, index) => ({ object: 'embedding', index, embedding })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

function listModels(path: string, models: readonly string[], response: ServerResponse): void {
  if (!path.endsWith('/models')) return sendJson(response, 404, { error: { message: `No route GET ${path}` } });
  if (path.includes('/v1beta/')) return sendJson(response, 200, { models: models.map((name) => ({ name: `models/${name}` })) });
  sendJson(response, 200, { object: 'list', data: models.map((id) => ({ id, type: 'model', object: 'model' })), has_more: false });
}

async function readBody(incoming: IncomingMessage): Promise<Loose> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as Loose;
  } catch {
    return {};
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

function estimate(text: string): number {
  return Math.ceil(text.length / 4);
}
