import type { Command } from 'commander';
import type { Cli } from '../context.ts';
import { plain, table } from '../words.ts';

/** `feeds check` and `page`: they work with no agent running. The owner typed the address, so it may be private. */
export function readingCommands(program: Command, cli: () => Cli): void {
  program
    .command('feeds')
    .description('feeds')
    .command('check <sources...>')
    .description('parse feeds, from files or addresses')
    .action(async (sources: string[]) => {
      const io = cli();
      const [{ createFetch }, { checkFeeds, createFeedParser }] = await Promise.all([import('#core/fetch'), import('#feeds')]);
      await using fetch = createFetch();
      await using parser = createFeedParser();
      const results = await checkFeeds(sources, { fetch, parser }, { signal: AbortSignal.timeout(300_000), allowPrivate: true });
      io.print(results, () =>
        results
          .map((feed) =>
            feed.error
              ? `${feed.source}: ${feed.error.message}`
              : [
                  `${feed.title ?? feed.source} (${feed.format}, ${feed.items.length} items)`,
                  table(
                    ['DATE', 'TITLE'],
                    feed.items.map((item) => [item.date, item.title]),
                  ),
                ].join('\n'),
          )
          .join('\n\n'),
      );
      if (results.some((feed) => feed.error)) process.exitCode = 1;
    });

  program
    .command('page <source>')
    .description('the readable article of a page, from a file or an address')
    .action(async (source: string) => {
      const io = cli();
      const [{ createFetch }, { createFeedParser, fetchPage }] = await Promise.all([import('#core/fetch'), import('#feeds')]);
      await using fetch = createFetch();
      await using parser = createFeedParser();
      const page = await fetchPage(source, { fetch, parser }, { signal: AbortSignal.timeout(60_000), allowPrivate: true });
      io.print(page, () => plain([page.title, page.byline, page.date].filter(Boolean).join(' · ') + '\n\n' + page.markdown));
    });
}
