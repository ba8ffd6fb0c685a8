import type { FeedFormat } from './contract.ts';

/** What a format's reader finds in an item: publisher's words, links resolved, nothing chosen or shortened yet. */
export interface DraftItem {
  readonly guid: string | null;
  readonly title: string | null;
  readonly url: string | null;
  /** Candidates in order of preference, as written. */
  readonly dates: readonly (string | null | undefined)[];
  readonly author: string | null;
  readonly summaryHtml: string | null;
  readonly contentHtml: string | null;
}

export interface DraftFeed {
  readonly format: FeedFormat;
  readonly title: string | null;
  readonly link: string | null;
  readonly items: readonly DraftItem[];
}
