import type { Db } from '#core/db/store';
import type { FeedRow } from './tables.ts';

export function feedRows(db: Db, urls: readonly string[]): Promise<FeedRow[]> {
  return db
    .selectFrom('skill_feed')
    .selectAll()
    .where('url', 'in', [...urls])
    .execute();
}

export function allFeedRows(db: Db): Promise<FeedRow[]> {
  return db.selectFrom('skill_feed').selectAll().orderBy('url').execute();
}

/** Inserts a feed or changes the columns given. */
export async function putFeed(
  db: Db,
  url: string,
  set: Partial<Omit<FeedRow, 'url' | 'changed_at'>> & Pick<FeedRow, 'changed_at'>,
): Promise<void> {
  const fresh: FeedRow = {
    url,
    etag: null,
    last_modified: null,
    window_hours: null,
    last_ok_at: null,
    failures: 0,
    last_error: null,
    ...set,
  };
  await db
    .insertInto('skill_feed')
    .values(fresh)
    .onConflict((on) => on.column('url').doUpdateSet(set))
    .execute();
}

/** One more failure in a row. */
export async function putFailure(db: Db, url: string, error: string, at: number): Promise<void> {
  const fresh: FeedRow = {
    url,
    etag: null,
    last_modified: null,
    window_hours: null,
    last_ok_at: null,
    failures: 1,
    last_error: error,
    changed_at: at,
  };
  await db
    .insertInto('skill_feed')
    .values(fresh)
    .onConflict((on) =>
      on.column('url').doUpdateSet((eb) => ({ failures: eb('skill_feed.failures', '+', 1), last_error: error, changed_at: at })),
    )
    .execute();
}
