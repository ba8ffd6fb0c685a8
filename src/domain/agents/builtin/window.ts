import type { Message, Part } from '#llm/contract';

/** The newest results stay whole: the model is still at work on them. */
const WHOLE_RESULTS = 4;
const SHORT_CHARS = 400;

/**
 * What of a turn's messages the model gets when they have grown too long: the same, with the older tool results shortened. It is a view; what
 * was kept of the turn is not touched, and a tool can be called again.
 */
export function fit(messages: readonly Message[], limitChars: number): readonly Message[] {
  if (sizeOf(messages) <= limitChars) return messages;
  const results = messages.flatMap(({ parts }) => parts).filter((part) => part.type === 'tool_result');
  const older = new Set<Part>(results.slice(0, Math.max(0, results.length - WHOLE_RESULTS)));
  return messages.map((message) =>
    message.parts.some((part) => older.has(part))
      ? { ...message, parts: message.parts.map((part) => (older.has(part) ? shortened(part) : part)) }
      : message,
  );
}

function shortened(part: Part): Part {
  if (part.type !== 'tool_result' || part.output.length <= SHORT_CHARS) return part;
  const left = part.output.length - SHORT_CHARS;
  return {
    ...part,
    output: `${part.output.slice(0, SHORT_CHARS)}\n[${left} more characters were left out here; call the tool again to see them]`,
  };
}

function sizeOf(messages: readonly Message[]): number {
  let size = 0;
  for (const { parts } of messages)
    for (const part of parts) size += 'text' in part ? part.text.length : 'output' in part ? part.output.length : 200;
  return size;
}
