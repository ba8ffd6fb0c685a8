import { enclose, envelopeMarks, revealText, type Enclosure } from '#content';
import type { Json } from '#core/json';
import type { SkillContext } from './contract.ts';
import { describeItems, itemsIn } from './news/items.ts';

type Where = Pick<SkillContext, 'labels' | 'boundary'>;

const enclosureOf = (source: string, { labels, boundary }: Where): Enclosure => ({ source, labels, boundary });

/** Material for a model, in its envelope: the rule about it is `ENVELOPE_RULE` of `#content`. */
export function wrapMaterial(text: string, source: string, where: Where): string {
  return enclose(text, enclosureOf(source, where));
}

/** Placeholders of what only the owner and the program write, and of what is in an envelope already. */
const OWN = /^\{\{-?\s*(resources|today|now|run|material|message|history)\b/;
/** A name that the template itself gives to something else is not the program's any more. */
const GIVEN = /\{%-?\s*(?:assign|capture|for|tablerow)\s+([\w-]+)/g;
/** What puts values into a text: placeholders, and the tags that do the same. */
const BRINGS_IN = /\{\{[^]*?\}\}|\{%-?\s*(?:echo|liquid|cycle|increment|decrement)\b[^]*?%\}/g;

/**
 * A template of the owner's, filled in for a model: what it brings in of steps, input and items stands in envelopes; `own` are values that
 * are the program's own or stand in one already. The envelope needs no escape here, for nobody who wrote what is filled in knows its boundary.
 */
export async function renderPrompt(template: string, context: SkillContext, own: Readonly<Record<string, unknown>> = {}): Promise<string> {
  const given = new Set([...template.matchAll(GIVEN)].map(([, name]) => name));
  const marked = template.replaceAll(BRINGS_IN, (tag) => {
    const name = OWN.exec(tag)?.[1];
    if (name !== undefined && !given.has(name)) return tag;
    const { open, close } = envelopeMarks(enclosureOf(sourceIn(tag), context));
    return `${open}${tag}${close}`;
  });
  return revealText(await context.render(marked, own)).text;
}

/** The name of what a placeholder brings in. */
function sourceIn(tag: string): string {
  return /[a-z_][\w.-]*/i.exec(tag.replace(/^\{[{%]-?\s*(?:echo\s)?/, ''))?.[0] ?? 'a step';
}
/** A step's input as a model reads it best: text as it is, items as a list, a page with its title, all else as JSON. */
export function modelText(input: Json): string {
  if (input === null) return '';
  if (typeof input === 'string') return input;
  const items = itemsIn(input);
  if (items) return describeItems(items);
  const page = pageIn(input);
  return page ?? JSON.stringify(input, null, 1);
}

/** `{ text }`, with a title and an address where it has them. */
export function pageIn(input: Json): string | null {
  if (typeof input !== 'object' || input === null || !('text' in input) || typeof input['text'] !== 'string') return null;
  const head = [input['title'], input['url']].filter((it): it is string => typeof it === 'string' && it !== '').join('\n');
  return head ? `${head}\n\n${input['text']}` : input['text'];
}

/** At most so many characters, and in their place how many are missing. */
export function cutText(text: string, maxChars: number): { readonly text: string; readonly leftOut: number } {
  if (text.length <= maxChars) return { text, leftOut: 0 };
  const leftOut = text.length - maxChars;
  return { text: `${text.slice(0, maxChars).toWellFormed()}\n[… ${leftOut} more characters left out]`, leftOut };
}
