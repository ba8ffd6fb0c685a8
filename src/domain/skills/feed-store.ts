import { z } from 'zod';
import type { Db, Store } from '#core/db/store';
import { check, type Json } from '#core/json';
import { allFeedRows, feedRows, putFailure, putFeed } from './queries.ts';

/** What a server said of its feed, to ask by next time, and how far back its items were looked at then. */
export const Validators = z.object({
  url: z.string(),
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  windowHours: z.number(),
});
export type Validators = z.infer<typeof Validators>;

export interface FeedHealth {
  readonly url: string;
  /** ISO 8601, UTC. */
  readonly lastOkAt: string | null;
  /** In a row. */
  readonly failures: number;
  readonly lastError: string | null;
}

/** How each feed does, across workflows and restarts. */
export interface FeedStore {
  validators(urls: readonly string[]): Promise<ReadonlyMap<string, Validators>>;
  /** Notes how each of these feeds answered; `error` null is well. */
  note(answers: readonly { readonly url: string; readonly error: string | null }[], at: number): Promise<void>;
  /** Handler of the deferred act `skill.feeds_read`: only a run that succeeded may not be told the same items again. */
  keepValidators(tx: Db, data: Json): Promise<void>;
  health(): Promise<readonly FeedHealth[]>;
}

const FeedsRead = z.object({ at: z.number(), feeds: z.array(Validators) });

export function createFeedStore(store: Store): FeedStore {
  return {
    async validators(urls) {
      if (urls.length === 0) return new Map();
      const rows = await feedRows(store.db, urls);
      return new Map(
        rows.flatMap(({ url, etag, last_modified, window_hours }) =>
          window_hours === null ? [] : [[url, { url, etag, lastModified: last_modified, windowHours: window_hours }] as const],
        ),
      );
    },
    async note(answers, at) {
      await store.write(async (tx) => {
        for (const { url, error } of answers) {
          if (error === null) await putFeed(tx, url, { last_ok_at: at, failures: 0, last_error: null, changed_at: at });
          else await putFailure(tx, url, error, at);
        }
      });
    },
    async keepValidators(tx, data) {
      const { at, feeds } = check(data, FeedsRead, 'feeds read');
      for (const { url, etag, lastModified, windowHours } of feeds)
        await putFeed(tx, url, { etag, last_modified: lastModified, window_hours: windowHours, changed_at: at });
    },
    async health() {
      const rows = await allFeedRows(store.db);
      return rows.map(({ url, last_ok_at, failures, last_error }) => ({
        url,
        lastOkAt: last_ok_at === null ? null : new Date(last_ok_at).toISOString(),
        failures,
        lastError: last_error,
      }));
    },
  };
}
