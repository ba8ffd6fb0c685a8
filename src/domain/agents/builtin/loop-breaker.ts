import type { ToolCall, ToolOutcome } from '../tools.ts';

/** So many failures of one call, made in the same words, are a loop. */
const SAME_FAILURES = 3;

/** Watches the tool calls of one turn for a model that goes round in circles. */
export interface LoopBreaker {
  /** Says why the turn must end, or null. */
  see(call: ToolCall, outcome: ToolOutcome): string | null;
}

export function createLoopBreaker(): LoopBreaker {
  const failures = new Map<string, number>();
  return {
    see(call, outcome) {
      const key = `${call.name} ${JSON.stringify(call.input)}`;
      if (!outcome.isError) {
        failures.delete(key);
        return null;
      }
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      return count < SAME_FAILURES ? null : `${call.name} failed ${count} times in the same way: ${firstLine(outcome.output)}`;
    },
  };
}

function firstLine(text: string): string {
  const line = text.trim().split('\n', 1)[0]!;
  return line.length <= 300 ? line : `${line.slice(0, 300)}…`;
}
