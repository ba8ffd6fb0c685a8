import type { SessionUpdate, ToolCallContent } from '@agentclientprotocol/sdk';
import type { Json } from '#core/json';
import type { BackendEvent } from '../backend.ts';

/** The most of one result that is kept and shown. */
const LONGEST_RESULT = 40_000;
/** What the agent takes in from files and commands may be anybody's words. */
const BRINGS_TEXT: ReadonlySet<string> = new Set(['read', 'search', 'execute', 'fetch']);

interface Known {
  name: string;
  kind: string;
}

/** Turns what an agent says of its session (agentclientprotocol.com/protocol/prompt-turn) into the events of a turn. */
export function createTranslator(): (update: SessionUpdate) => readonly BackendEvent[] {
  const calls = new Map<string, Known>();
  const ended = new Set<string>();

  return (update) => {
    switch (update.sessionUpdate) {
      case 'agent_message_chunk':
        return update.content.type === 'text' && update.content.text !== '' ? [{ type: 'text', text: update.content.text }] : [];
      case 'agent_thought_chunk':
        return update.content.type === 'text' && update.content.text !== '' ? [{ type: 'reasoning', text: update.content.text }] : [];
      case 'tool_call':
      case 'tool_call_update': {
        const { toolCallId: id, status } = update;
        const events: BackendEvent[] = [];
        let known = calls.get(id);
        if (!known) {
          known = { name: update.name ?? update.kind ?? 'tool', kind: update.kind ?? 'other' };
          calls.set(id, known);
          events.push({ type: 'tool_call', id, name: known.name, input: inputOf(update) });
        }
        if ((status === 'completed' || status === 'failed') && !ended.has(id)) {
          ended.add(id);
          if (BRINGS_TEXT.has(known.kind)) events.push({ type: 'saw', labels: ['untrusted'] });
          events.push({ type: 'tool_result', id, name: known.name, output: outputOf(update), isError: status === 'failed' });
        }
        return events;
      }
      default:
        return [];
    }
  };
}

function inputOf({
  title,
  kind,
  locations,
  rawInput,
}: {
  title?: string | null;
  kind?: string | null;
  locations?: readonly { path: string }[] | null;
  rawInput?: unknown;
}): Json {
  return JSON.parse(
    JSON.stringify({ title, kind, ...(locations?.length && { paths: locations.map(({ path }) => path) }), input: rawInput ?? null }),
  ) as Json;
}

function outputOf({ content, rawOutput }: { content?: readonly ToolCallContent[] | null; rawOutput?: unknown }): string {
  const text =
    (content ?? []).map(textOf).filter(Boolean).join('\n') ||
    (rawOutput === undefined ? '' : typeof rawOutput === 'string' ? rawOutput : JSON.stringify(rawOutput));
  return text.length <= LONGEST_RESULT ? text : `${text.slice(0, LONGEST_RESULT)}\n[${text.length - LONGEST_RESULT} more characters]`;
}

/** A change of a file is shown as a whole: old lines with a minus, new ones with a plus. */
function textOf(content: ToolCallContent): string {
  if (content.type === 'content') return content.content.type === 'text' ? content.content.text : `[${content.content.type}]`;
  if (content.type !== 'diff') return '';
  const lines = (text: string | null | undefined, mark: string): string[] => (text ? text.split('\n').map((line) => `${mark}${line}`) : []);
  return [`--- ${content.path}`, ...lines(content.oldText, '-'), ...lines(content.newText, '+')].join('\n');
}
