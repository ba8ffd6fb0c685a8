// The stories of Hacker News (https://github.com/HackerNews/API): a list of ids, then one request for each story.
import { skill, SkillError, type SkillContext } from '#skill';

interface Config {
  readonly list: 'top' | 'best' | 'new' | 'ask' | 'show';
  readonly count: number;
  readonly minScore: number;
  readonly baseUrl?: string;
}

interface Story {
  readonly id: number;
  readonly type?: string;
  readonly title?: string;
  readonly url?: string;
  readonly by?: string | null;
  readonly score?: number;
  readonly time?: number;
  readonly descendants?: number;
  readonly deleted?: boolean;
  readonly dead?: boolean;
}

/** Some of the first are below the score or dead. */
const LOOK_FURTHER = 3;

export default skill<unknown, Config>({
  async run({ config, context }) {
    const { list, count, minScore, baseUrl = 'https://hacker-news.firebaseio.com' } = config;
    const ids = await read<number[]>(context, `${baseUrl}/v0/${list}stories.json`);
    const stories = await Promise.all(
      ids.slice(0, count * LOOK_FURTHER).map((id) => read<Story | null>(context, `${baseUrl}/v0/item/${id}.json`)),
    );
    const items = stories
      .filter((story) => story !== null)
      .filter(({ title, dead, deleted, score = 0 }) => title && !dead && !deleted && score >= minScore)
      .slice(0, count)
      .map(toItem);
    return { outcome: items.length > 0 ? 'on_items' : 'on_empty', output: items };
  },
});

async function read<T>(context: SkillContext, url: string): Promise<T> {
  const answer = await context.fetch(url);
  if (!answer.ok) throw new SkillError('skill.failed', `${url} answered with HTTP ${answer.status}`);
  return answer.json<T>();
}

function toItem({ id, title = '', url, by = null, score = 0, time, descendants = 0 }: Story) {
  const discussion = `https://news.ycombinator.com/item?id=${id}`;
  return {
    id: `hacker-news:${id}`,
    title,
    url: url ?? discussion,
    date: time === undefined ? null : new Date(time * 1_000).toISOString(),
    summary: `${score} points, ${descendants} comments: ${discussion}`,
    feed: 'Hacker News',
    author: by,
  };
}
