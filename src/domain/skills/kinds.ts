import type { FeedParser } from '#feeds';
import type { Skill } from './contract.ts';
import { conversational } from './conversational/index.ts';
import type { FeedStore } from './feed-store.ts';
import { llmScore } from './llm-score/index.ts';
import { llmTransform } from './llm-transform/index.ts';
import { notify } from './notify/index.ts';
import { rssCollector } from './rss-collector/index.ts';
import { rssFetch } from './rss-fetch/index.ts';
import { webFetch } from './web-fetch/index.ts';

export interface BuiltInSkillDeps {
  readonly feeds: FeedStore;
  readonly parser: Pick<FeedParser, 'parseFeed' | 'readPage'>;
}

/** The skills that come with the program. */
export function builtInSkills(deps: BuiltInSkillDeps): readonly Skill[] {
  return [rssFetch(deps), llmScore, llmTransform, rssCollector(deps), notify, webFetch(deps), conversational];
}
