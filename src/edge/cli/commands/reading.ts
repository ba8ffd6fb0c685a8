import type { Command } from 'commander';
import { exportFeeds, importFeeds, listFeeds } from '#workflows/contract';
import type { Cli } from '../context.ts';
import { readText } from '../files.ts';
import { ago, plain, table } from '../words.ts';

/** Feeds and pages. `feeds check` and `page` work with no agent running; the owner typed the address, so it may be private. */
export function readingCommands(program: Command, cli: () => Cli): void {
  const feeds = program.command('feeds').description('the feeds that workflows read');
  feeds
    .command('list')
    .description('the feeds of all workflows, those that fail first')
    .action(async () => {
      const io = cli();
      const { items } = await (await io.client()).call(listFeeds, {});
      io.print(items, () =>
        table(
          ['NAME', 'STATE', 'LAST READ', 'WORKFLOWS', 'ADDRESS', ''],
          items.map((it) => [
            it.name,
            it.failures > 0 ? `failing, ${it.failures} in a row` : it.state,
            ago(it.lastOkAt, Date.now()),
            it.workflows.join(', '),
            it.url,
            it.lastError,
          ]),
        ),
      );
    });

  feeds
    .command('import <file>')
    .description('add the feeds of an OPML file ("-" for standard input) to a workflow')
    .option('--workflow <name>', 'the workflow that shall read them', 'morning-briefing')
    .action(async (file: string, { workflow: id }: { workflow: string }) => {
      const io = cli();
      const opml = await readText(file, io);
      const done = await (await io.client()).call(importFeeds, { id, opml });
      io.print(done, () => `${done.workflow} reads ${done.added.length} more; it had ${done.known} of them already.`);
    });

  feeds
    .command('export [workflow]')
    .description('the feeds of a workflow as OPML; morning-briefing when none is named')
    .action(async (id = 'morning-briefing') => {
      const io = cli();
      const { opml } = await (await io.client()).call(exportFeeds, { id: String(id) });
      io.print({ opml }, () => opml.trimEnd());
    });

  feeds
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
