import type { ClientContext, RequestPermissionRequest, RequestPermissionResponse, SessionUpdate, Stream } from '@agentclientprotocol/sdk';
import { AppError, toError } from '#core/errors';
import type { Json } from '#core/json';
import { lineProcess } from '#core/line-process';
import type { Nursery } from '#core/nursery';

/** A diff of a large file comes in one line. */
const LONGEST_LINE_BYTES = 64 * 2 ** 20;
const MOST_STDERR_BYTES = 64 * 2 ** 20;
const MOST_UNREAD_BYTES = 64 * 2 ** 20;
const START_MS = 60_000;
/** So long an agent may take to end a turn that was cancelled, before it is ended itself. */
const CANCEL_MS = 2_000;

export interface SessionOptions {
  readonly nursery: Nursery;
  /** Unique among the children. */
  readonly name: string;
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** The workspace, as the agent sees it. */
  readonly cwd: string;
  /** The session to go on with, where the agent still knows it. */
  readonly resume: string | null;
  readonly meta: Record<string, unknown> | undefined;
  readonly signal: AbortSignal;
}

/** What one turn hears of its agent. */
export interface TurnEars {
  onUpdate(update: SessionUpdate): void;
  /** Contract: rejects only when the turn is over. */
  onPermission(request: RequestPermissionRequest, signal: AbortSignal): Promise<RequestPermissionResponse>;
}

/** An agent's process with one session in it. */
export interface AgentSession {
  readonly id: string;
  /** It knows what was said before. */
  readonly isResumed: boolean;
  /** Sends a message and resolves with the reason the agent stopped; one at a time. Aborting cancels the turn, and the agent if it does not listen. */
  prompt(text: string, ears: TurnEars, signal: AbortSignal): Promise<string>;
  isAlive(): boolean;
  close(): Promise<void>;
}

/** Starts an agent, and a session in it. Throws `agent.cli_failed` with the agent's last words. */
export async function openSession(options: SessionOptions): Promise<AgentSession> {
  const { nursery, title, cwd, resume, meta, signal } = options;
  const acp = await import('@agentclientprotocol/sdk');
  let isAlive = true;
  let ears: TurnEars | null = null;
  let lastWords: readonly string[] = [];
  const incoming = Promise.withResolvers<ReadableStreamDefaultController<never>>();
  const readable = new ReadableStream<never>({ start: (controller) => incoming.resolve(controller) });
  const controller = await incoming.promise;
  const ended = Promise.withResolvers<never>();
  ended.promise.catch(() => {});

  const child = lineProcess({
    name: options.name,
    command: options.command,
    args: options.args,
    env: options.env,
    cwd,
    longestLineBytes: LONGEST_LINE_BYTES,
    mostStderrBytes: MOST_STDERR_BYTES,
    mostUnreadBytes: MOST_UNREAD_BYTES,
    onLine(line) {
      if (line.startsWith('{')) controller.enqueue(JSON.parse(line) as never); // some print remarks before they speak
    },
    onEnd({ code, signal: killer, said, cause }) {
      isAlive = false;
      lastWords = said;
      controller.close();
      const how = cause?.message ?? (killer ? `was ended by ${killer}` : `ended with code ${code}`);
      ended.reject(
        new AppError('unavailable', 'agent.cli_failed', `${title} ${how}${said.length > 0 ? `: ${said.slice(-3).join(' | ')}` : ''}`, {
          said,
        }),
      );
    },
  });
  const writable = new WritableStream<Json>({ write: (message) => child.send(message) });

  const app = acp
    .client({ name: 'castellan' })
    .onRequest(acp.methods.client.session.requestPermission, async ({ params }) =>
      ears ? ears.onPermission(params, AbortSignal.any([])) : { outcome: { outcome: 'cancelled' } },
    )
    .onNotification(acp.methods.client.session.update, ({ params }) => ears?.onUpdate(params.update));

  const place = await nursery.add(child, { key: options.name });
  const connection = app.connect({ readable, writable } as unknown as Stream);
  const { agent } = connection;
  const close = async (): Promise<void> => {
    connection.close();
    await place.stop();
  };

  async function begin(): Promise<{ id: string; isResumed: boolean }> {
    const { agentCapabilities } = await agent.request(acp.methods.agent.initialize, {
      protocolVersion: acp.PROTOCOL_VERSION,
      clientCapabilities: {}, // no files of ours: it sees its own through the sandbox
      clientInfo: { name: 'castellan', version: '1' },
    });
    if (resume !== null && agentCapabilities?.loadSession) {
      const loaded = await agent
        .request(acp.methods.agent.session.load, { sessionId: resume, cwd, mcpServers: [], ...(meta && { _meta: meta }) })
        .then(() => true)
        .catch(() => false); // its files are gone: begin anew
      if (loaded) return { id: resume, isResumed: true };
    }
    const { sessionId } = await agent.request(acp.methods.agent.session.new, { cwd, mcpServers: [], ...(meta && { _meta: meta }) });
    return { id: sessionId, isResumed: false };
  }

  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(START_MS)]);
    const { id, isResumed } = await Promise.race([begin(), ended.promise, aborted(limit)]);
    return { id, isResumed, isAlive: () => isAlive, close, prompt: (text, mine, turn) => prompt(id, text, mine, turn) };
  } catch (thrown) {
    await close();
    if (signal.aborted || thrown instanceof AppError) throw thrown;
    const said = lastWords.length > 0 ? `: ${lastWords.slice(-3).join(' | ')}` : '';
    throw new AppError(
      'unavailable',
      'agent.cli_failed',
      `${title} could not begin a session: ${toError(thrown).message}${said}`,
      {},
      thrown,
    );
  }

  async function prompt(sessionId: string, text: string, mine: TurnEars, turn: AbortSignal): Promise<string> {
    if (ears) throw new Error('One turn at a time in a session');
    turn.throwIfAborted();
    ears = { onUpdate: mine.onUpdate, onPermission: (request) => mine.onPermission(request, turn) };
    let timer: NodeJS.Timeout | undefined;
    const cancel = (): void => {
      void (agent as ClientContext).notify(acp.methods.agent.session.cancel, { sessionId }).catch(() => {});
      timer = setTimeout(() => void close(), CANCEL_MS);
    };
    turn.addEventListener('abort', cancel, { once: true });
    const over = agent.request(acp.methods.agent.session.prompt, { sessionId, prompt: [{ type: 'text', text }] });
    const settled = over.finally(() => clearTimeout(timer));
    settled.catch(() => {});
    try {
      const { stopReason } = await Promise.race([settled, ended.promise, aborted(turn)]);
      return stopReason;
    } catch (thrown) {
      if (turn.aborted || thrown instanceof AppError) throw thrown;
      throw new AppError('unavailable', 'agent.cli_failed', `${title}: ${toError(thrown).message}`, {}, thrown);
    } finally {
      ears = null;
      turn.removeEventListener('abort', cancel);
    }
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
