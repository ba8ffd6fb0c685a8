import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '#core/clock';
import type { Caller } from '#core/endpoint';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import { parseJson } from '#core/json';
import { readBody, sendJson } from '#core/raw-body';
import type { RawRoute } from '#core/raw-route';
import type { Agents } from '../agents.ts';
import type { Assistant } from '../contract.ts';
import { labelsOf, originOf } from '../routes.ts';
import { chunks, errorAnswer, wholeAnswer } from './answer.ts';
import { ChatRequest, toQuestion } from './request.ts';

/** Pictures come inside the body. */
const MOST_BODY_BYTES = 16 * 1024 * 1024;

export interface OpenAiDeps {
  readonly agents: Pick<Agents, 'assistants' | 'workspaces' | 'oneShot'>;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly onError: (what: string, error: unknown) => void;
}

/** Assistants for every program that speaks OpenAI's chat completions; `model` is the assistant's name. */
export function openAiRoutes({ agents: { assistants, workspaces, oneShot }, clock, newId, onError }: OpenAiDeps): readonly RawRoute[] {
  async function assistantCalled(model: string): Promise<Assistant> {
    const all = await assistants.list();
    const found = all.find(({ name }) => name === model) ?? all.find(({ name }) => name.toLowerCase() === model.toLowerCase());
    if (!found)
      throw new AppError(
        'not_found',
        'agent.no_assistant',
        `model: there is no assistant ${model}; there are ${all.map(({ name }) => name).join(', ')}`,
        { field: 'model' },
      );
    return found;
  }

  async function complete(req: IncomingMessage, res: ServerResponse, caller: Caller, signal: AbortSignal): Promise<void> {
    const request = parseJson(await readBody(req, MOST_BODY_BYTES), ChatRequest, 'Body');
    const assistant = await assistantCalled(request.model);
    const events = oneShot({
      ...toQuestion(request),
      assistant,
      workspace: await workspaces.first(),
      origin: originOf(caller),
      labels: labelsOf(caller),
      signal,
    });
    const head = { id: `chatcmpl-${newId()}`, created: Math.floor(clock.now() / 1_000), model: assistant.name };
    if (!request.stream) return sendJson(res, 200, await wholeAnswer(head, events));
    for await (const chunk of chunks(head, events, request.stream_options?.include_usage === true)) {
      if (!res.headersSent)
        res.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
      if (!res.write(`data: ${JSON.stringify(chunk)}\n\n`)) await once(res, 'drain', { signal });
    }
    res.end('data: [DONE]\n\n');
  }

  const answering =
    (handle: RawRoute['handle']): RawRoute['handle'] =>
    async (req, res, about) => {
      try {
        await handle(req, res, about);
      } catch (error) {
        if (about.signal.aborted) return void res.destroy();
        if (!(error instanceof AppError)) onError('A chat completion failed', error);
        const { status, body } = errorAnswer(error);
        if (res.headersSent) res.end(`data: ${JSON.stringify(body)}\n\n`);
        else sendJson(res, status, body);
      }
    };

  return [
    {
      method: 'POST',
      path: '/v1/chat/completions',
      grant: 'agents:turn',
      summary: 'OpenAI-compatible chat completions; the model is an assistant’s name. Nothing is kept as a conversation.',
      handle: answering((req, res, { caller, signal }) => complete(req, res, caller, signal)),
    },
    {
      method: 'GET',
      path: '/v1/models',
      grant: 'agents:read',
      summary: 'Assistants in the form of OpenAI’s list of models.',
      handle: answering(async (_req, res) => {
        const data = (await assistants.list()).map(({ name, createdAt }) => ({
          id: name,
          object: 'model',
          created: Math.floor(Date.parse(createdAt) / 1_000),
          owned_by: 'castellan',
        }));
        sendJson(res, 200, { object: 'list', data });
      }),
    },
  ];
}
