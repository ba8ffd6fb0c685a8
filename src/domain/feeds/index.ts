export { checkFeeds, fetchPage } from './check.ts';
export { parseOpml, toOpml } from './opml.ts';
export { parseFeed } from './parse.ts';
export { createFeedParser, type FeedParser, type FeedParserOptions } from './parser.ts';
export { type FeedDeps, type FetchedFeed, type Source, type SourceOptions } from './source.ts';
export { shorten } from './text.ts';
export { canonicalUrl } from './urls.ts';
