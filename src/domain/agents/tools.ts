import type { Json } from '#core/json';
import type { ToolSpec } from '#llm/contract';
import type { Label } from '#runs/contract';
import type { TurnView } from './hooks.ts';

/** One call of a tool, as the model made it. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly input: Json;
}

/** What a call came to. What went wrong is told to the model as well: it can mend its input, or do without. */
export interface ToolOutcome {
  /** Text, or JSON as text. */
  readonly output: string;
  readonly isError: boolean;
  /** What the model has seen with this result. */
  readonly labels: readonly Label[];
  /** Stable code of the failure. */
  readonly code?: string;
}

/** The tools of one turn. */
export interface TurnTools {
  readonly specs: readonly ToolSpec[];
  /**
   * Performs a call; `seen` is what the model had read when it made it. Contract: rejects only when the signal is aborted; a failure is an
   * outcome. A call is a step of the turn's run, with its effects and cost.
   */
  call(call: ToolCall, seen: ReadonlySet<Label>, signal: AbortSignal): Promise<ToolOutcome>;
}

/** Gives a turn its tools: skills, tools of MCP servers. */
export interface Toolbox {
  open(turn: TurnView): Promise<TurnTools>;
}

/** Several toolboxes as one; of two tools with the same name the first counts. */
export function joinToolboxes(boxes: readonly Toolbox[]): Toolbox {
  return {
    async open(turn) {
      const opened = await Promise.all(boxes.map((box) => box.open(turn)));
      const byName = new Map<string, TurnTools>();
      for (const tools of opened) for (const { name } of tools.specs) if (!byName.has(name)) byName.set(name, tools);
      return {
        specs: opened.flatMap((tools) => tools.specs.filter(({ name }) => byName.get(name) === tools)),
        call: (call, seen, signal) => {
          const tools = byName.get(call.name);
          if (!tools) throw new Error(`${call.name} is not among the tools of this turn`);
          return tools.call(call, seen, signal);
        },
      };
    },
  };
}
