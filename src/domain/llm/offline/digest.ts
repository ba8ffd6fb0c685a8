import type { OfflineTask } from '../contract.ts';
import type { Pace } from './pace.ts';
import { summarize } from './summarize.ts';
import { centroidOf, similarity, weigh } from './vectors.ts';
import type { Sparse } from './vectors.ts';

type Item = Extract<OfflineTask, { kind: 'digest' }>['items'][number];

interface Group {
  readonly heading: string;
  readonly members: number[];
}

/** From here two items are about one topic, and from there they are the same news. */
const SAME_TOPIC = 0.2;
const SAME_NEWS = 0.75;
const LONGEST_LINE = 280;

/** Items by topic where several share one, the others by source; of each its best sentence, and its link. Markdown. */
export async function digest(items: readonly Item[], pace: Pace): Promise<string> {
  const vectors = await weigh(
    items.map(({ title, text }) => `${title}\n${title}\n${text}`),
    pace,
  );
  const blocks: string[] = [];
  for (const { heading, members } of await groupItems(items, vectors, pace)) {
    const lines: string[] = [];
    for (const leader of members) {
      const item = items[leader];
      if (!item || members.some((other) => other < leader && isSame(vectors, other, leader))) continue;
      const again = members.filter((other) => other > leader && isSame(vectors, other, leader)).flatMap((other) => items[other] ?? []);
      lines.push(await lineOf(item, again, pace));
    }
    blocks.push(`## ${heading}\n\n${lines.join('\n')}`);
  }
  return blocks.join('\n\n');
}

async function groupItems(items: readonly Item[], vectors: readonly Sparse[], pace: Pace): Promise<Group[]> {
  const topics: { members: number[]; centre: Sparse }[] = [];
  for (const [index, vector] of vectors.entries()) {
    const nearest = topics.map((topic) => ({ topic, near: similarity(vector, topic.centre) })).toSorted((a, b) => b.near - a.near)[0];
    if (nearest && nearest.near >= SAME_TOPIC) {
      nearest.topic.members.push(index);
      nearest.topic.centre = await centroidOf(
        nearest.topic.members.flatMap((it) => vectors[it] ?? []),
        pace,
      );
    } else topics.push({ members: [index], centre: vector });
    await pace();
  }
  const groups: Group[] = topics
    .filter(({ members }) => members.length > 1)
    .map(({ members, centre }) => ({ heading: headingOf(centre), members }));
  groups.sort((a, b) => b.members.length - a.members.length);
  const single = topics.flatMap(({ members }) => (members.length === 1 ? members : []));
  const bySource = [...Map.groupBy(single, (index) => items[index]?.source ?? '')].filter(
    ([source, members]) => source && members.length > 1,
  );
  const rest = single.filter((index) => !bySource.some(([, members]) => members.includes(index)));
  groups.push(...bySource.map(([source, members]) => ({ heading: plain(source), members })));
  if (rest.length > 0) groups.push({ heading: groups.length > 0 ? 'More' : 'News', members: rest });
  return groups;
}

/** A topic is named by its two weightiest words; a number alone names nothing. */
function headingOf(centre: Sparse): string {
  const words = [...centre]
    .filter(([word]) => !/^\d+$/.test(word))
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, 2)
    .map(([word]) => word);
  const heading = words.join(', ') || 'News';
  return heading.charAt(0).toUpperCase() + heading.slice(1);
}

function isSame(vectors: readonly Sparse[], a: number, b: number): boolean {
  return similarity(vectors[a] ?? new Map(), vectors[b] ?? new Map()) >= SAME_NEWS;
}

async function lineOf(item: Item, again: readonly Item[], pace: Pace): Promise<string> {
  const [best = ''] = await summarize(item.text, 1, pace);
  const told = plain(best);
  const says =
    told && told !== plain(item.title)
      ? `: ${told.length > LONGEST_LINE ? `${told.slice(0, LONGEST_LINE).trimEnd().toWellFormed()}…` : told}`
      : '';
  const from = item.source ? ` (${plain(item.source)})` : '';
  const also = again.length > 0 ? ` Also: ${again.map((it) => link(it, it.source ?? it.title)).join(', ')}.` : '';
  return `- ${link(item, item.title)}${from}${says}${also}`;
}

function link({ url }: Item, text: string): string {
  const label = plain(text) || 'untitled';
  return url && /^https?:\/\//i.test(url)
    ? `[${label}](${encodeURI(url).replaceAll('%25', '%').replaceAll('(', '%28').replaceAll(')', '%29')})`
    : label;
}

/** Foreign text on one line, with nothing in it that Markdown would read as a link, a heading or markup. */
function plain(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_[\]<>#|]/g, (mark) => `\\${mark}`)
    .trim();
}
