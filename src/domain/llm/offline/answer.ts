import { enclosedIn, withoutEnclosed } from '#content';
import { ProviderFailure } from '../contract.ts';
import type { ModelCall } from '../contract.ts';
import { digest } from './digest.ts';
import type { Pace } from './pace.ts';
import { score } from './score.ts';
import { summarize } from './summarize.ts';

const NOTICE = '*Written without a model (offline): chosen from the sources’ own sentences.*';
const DEFAULT_SENTENCES = 5;
/** Shorter messages are talk, not material. */
const SHORTEST_MATERIAL = 600;

export interface OfflineAnswer {
  readonly text: string;
  readonly isJson: boolean;
}

/** What can be said without a model: the task's answer, or what the last message allows. */
export async function answer(call: ModelCall, pace: Pace): Promise<OfflineAnswer> {
  const { task, schema } = call;
  if (task?.kind === 'score') return { text: JSON.stringify({ scores: await score(task.items, task.interests, pace) }), isJson: true };
  const text = await write(call, pace);
  if (!schema) return { text, isJson: false };
  return { text: JSON.stringify({ [onlyTextField(schema.jsonSchema)]: text }), isJson: true };
}

async function write(call: ModelCall, pace: Pace): Promise<string> {
  const { task } = call;
  if (task?.kind === 'summarize') return withNotice(await summary(task.text, task.sentences ?? DEFAULT_SENTENCES, pace));
  if (task?.kind === 'digest') return withNotice(task.items.length > 0 ? await digest(task.items, pace) : 'Nothing new.');
  const { said, results } = lastMessage(call);
  if (results) return withNotice(await summary(results, DEFAULT_SENTENCES, pace));
  if (said.length >= SHORTEST_MATERIAL) return withNotice(await summary(said, DEFAULT_SENTENCES, pace));
  return 'I have no model to think with right now (offline), so I cannot answer this properly. Commands, workflows, schedules and search still work, and I can summarise a longer text by picking out its main sentences. Ask again when a model can be reached.';
}

async function summary(text: string, sentences: number, pace: Pace): Promise<string> {
  const chosen = await summarize(text, sentences, pace);
  return chosen.join(' ') || 'There is nothing to summarise.';
}

function withNotice(text: string): string {
  return `${NOTICE}\n\n${text}`;
}

function lastMessage({ messages }: ModelCall): { said: string; results: string } {
  const parts = messages.findLast(({ role }) => role === 'user')?.parts ?? [];
  return {
    said: material(parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n\n')),
    results: parts
      .flatMap((part) => (part.type === 'tool_result' ? [enclosedIn(part.output).join('\n\n') || part.output] : []))
      .join('\n\n'),
  };
}

/** Much in envelopes is what there is to work on, orders around it are for models; a little, such as the hour, is not: then it is the words. */
function material(text: string): string {
  const enclosed = enclosedIn(text);
  return enclosed.some((it) => it.length >= SHORTEST_MATERIAL) ? enclosed.join('\n\n') : withoutEnclosed(text);
}

/** The one field of a schema that an extracted text can fill; a judgement or several fields need a model. */
function onlyTextField(schema: Readonly<Record<string, unknown>>): string {
  const properties = Object.entries((schema['properties'] ?? {}) as Record<string, { readonly type?: unknown; readonly enum?: unknown }>);
  const required = (schema['required'] ?? []) as readonly string[];
  const texts = properties.filter(([, it]) => it.type === 'string' && it.enum === undefined).map(([name]) => name);
  const [only] = required.length > 0 ? required : texts;
  if (only !== undefined && texts.includes(only) && required.length <= 1) return only;
  throw new ProviderFailure('bad_request', 'This needs a model: without one only texts, scores and digests can be written');
}
