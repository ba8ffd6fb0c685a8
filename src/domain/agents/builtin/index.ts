import type { Message, Part } from '#llm/contract';
import type { Label } from '#runs/contract';
import type { Backend, BackendEvent, BackendTurn } from '../backend.ts';
import type { Receipt } from '../contract.ts';
import type { ToolCall, ToolOutcome, TurnTools } from '../tools.ts';
import { createLoopBreaker } from './loop-breaker.ts';
import { addReceipt } from '../receipts.ts';
import { fit } from './window.ts';

/** More rounds than this are no longer thinking. */
const MOST_ROUNDS = 40;
/** Calls that one answer of the model makes at once. */
const CALLS_AT_ONCE = 4;

type CallPart = Extract<Part, { type: 'tool_call' }>;

/**
 * Our own: asks the model router, performs the tools the model calls, and asks again with the results until there are no more calls. Calls of one
 * answer run side by side. An unknown tool, three identical failures or too many rounds end the turn with a report.
 */
export const builtin: Backend = {
  id: 'builtin',
  title: 'Castellan',
  async *run(turn) {
    if (turn.callerOptions?.tools || !turn.tools || turn.tools.specs.length === 0) yield* askOnce(turn);
    else yield* askWithTools(turn, turn.tools);
  },
};

async function* askOnce({ llm, system, messages, callerOptions, signal }: BackendTurn): AsyncGenerator<BackendEvent> {
  for await (const event of llm.stream({ system, messages, ...callerOptions, signal })) {
    if (event.type === 'tool_call') yield { type: 'tool_call', id: event.id, name: event.name, input: event.input };
    else if (event.type === 'end') yield { type: 'end', reason: event.reason, receipt: addReceipt(null, event.receipt) };
    else yield event;
  }
}

async function* askWithTools(turn: BackendTurn, tools: TurnTools): AsyncGenerator<BackendEvent> {
  const { llm, system, callerOptions, signal } = turn;
  const messages: Message[] = [...turn.messages];
  const seen = new Set<Label>(turn.labels);
  const breaker = createLoopBreaker();
  const known = new Set(tools.specs.map(({ name }) => name));
  let receipt: Receipt | null = null;

  for (let round = 1; ; round += 1) {
    const said: Part[] = [];
    const calls: CallPart[] = [];
    let reason = 'stop';
    const view = fit(messages, turn.windowChars);
    for await (const event of llm.stream({ system, messages: view, ...callerOptions, tools: tools.specs, signal })) {
      if (event.type === 'end') {
        receipt = addReceipt(receipt, event.receipt);
        reason = event.reason;
      } else if (event.type === 'tool_call') {
        calls.push(event);
        yield { type: 'tool_call', id: event.id, name: event.name, input: event.input };
      } else {
        if (event.type === 'text') said.push(event);
        yield event;
      }
    }
    if (calls.length === 0) return yield { type: 'end', reason, receipt: receipt! };
    const unknown = calls.find(({ name }) => !known.has(name));
    if (unknown) return yield* stopped(`The model called "${unknown.name}", a tool that is not there`, receipt!);

    messages.push({ role: 'assistant', parts: [...together(said), ...calls] });
    const results = new Map<string, ToolOutcome>();
    let loop: string | null = null;
    for await (const [call, outcome] of perform(calls, tools, new Set(seen), signal)) {
      results.set(call.id, outcome);
      const { output, isError, labels } = outcome;
      for (const label of labels) seen.add(label);
      yield { type: 'saw', labels };
      yield { type: 'tool_result', id: call.id, name: call.name, output, isError };
      loop ??= breaker.see(call, outcome);
    }
    if (loop !== null) return yield* stopped(loop, receipt!);
    if (round === MOST_ROUNDS)
      return yield* stopped(`The model called tools ${MOST_ROUNDS} times in a row without coming to an answer`, receipt!);
    messages.push({
      role: 'user',
      parts: calls.map(({ id, name }) => {
        const { output, isError } = results.get(id)!;
        return { type: 'tool_result', id, name, output, ...(isError && { isError }) };
      }),
    });
  }
}

/** Runs calls side by side, a few at once, and hands on each as it ends. */
async function* perform(
  calls: readonly CallPart[],
  tools: TurnTools,
  seen: ReadonlySet<Label>,
  signal: AbortSignal,
): AsyncGenerator<readonly [ToolCall, ToolOutcome]> {
  const left = calls.values();
  const running = new Map<string, Promise<readonly [ToolCall, ToolOutcome]>>();
  const next = (): void => {
    const { value: call } = left.next();
    if (call)
      running.set(
        call.id,
        tools.call(call, seen, signal).then((outcome) => [call, outcome] as const),
      );
  };
  for (let i = 0; i < CALLS_AT_ONCE; i += 1) next();
  try {
    while (running.size > 0) {
      const done = await Promise.race(running.values());
      running.delete(done[0].id);
      next();
      yield done;
    }
  } finally {
    await Promise.allSettled(running.values());
  }
}

async function* stopped(why: string, receipt: Receipt): AsyncGenerator<BackendEvent> {
  yield { type: 'text', text: `\n\nI stopped here. ${why}.` };
  yield { type: 'end', reason: 'loop', receipt };
}

function together(parts: readonly Part[]): Part[] {
  const text = parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
  return text === '' ? [] : [{ type: 'text', text }];
}
