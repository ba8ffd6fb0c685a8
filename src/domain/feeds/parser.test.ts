import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualClock } from '#core/clock';
import { parseFeed } from './parse.ts';
import { createFeedParser } from './parser.ts';
import { sampleFeed } from './testing.ts';

const { signal } = new AbortController();
const large = sampleFeed('rss', 300);

function setup(inlineBytes?: number) {
  const clock = manualClock();
  const parser = createFeedParser({ clock, idleMs: 30_000, timeLimitMs: 10_000, ...(inlineBytes !== undefined && { inlineBytes }) });
  return { clock, parser, [Symbol.asyncDispose]: () => parser.close() };
}

test('a large feed is read in the worker, with the same result', async () => {
  await using it = setup();
  assert.equal(it.parser.isRunning(), false);
  assert.deepEqual(await it.parser.parseFeed(large, {}, signal), parseFeed(large));
  assert.equal(it.parser.isRunning(), true);
});

test('a small feed needs no worker', async () => {
  await using it = setup();
  await it.parser.parseFeed(sampleFeed('atom', 3), {}, signal);
  assert.equal(it.parser.isRunning(), false);
});

test('errors keep their code on the way from the worker', async () => {
  await using it = setup(0);
  await assert.rejects(it.parser.parseFeed(Buffer.from('<html>'), {}, signal), { code: 'feeds.not_a_feed', kind: 'invalid' });
  await assert.rejects(it.parser.readPage('', {}, signal), { code: 'feeds.unreadable_page' });
  assert.equal((await it.parser.readPage('<p>words</p>', {}, signal)).text, 'words');
});

test('the worker ends when it has had nothing to do, and comes back', async () => {
  await using it = setup(0);
  await it.parser.parseFeed(large, {}, signal);
  await it.clock.advance(30_000);
  assert.equal(it.parser.isRunning(), false);
  assert.equal((await it.parser.parseFeed(large, {}, signal)).items.length, 300);
});

test('a document that takes too long costs one failure; the next gets a new worker', async () => {
  await using it = setup(0);
  const slow = it.parser.parseFeed(large, {}, signal);
  const next = it.parser.parseFeed(sampleFeed('json', 2), {}, signal);
  const failed = assert.rejects(slow, { code: 'feeds.too_slow' });
  await it.clock.advance(10_000);
  await failed;
  assert.equal((await next).items.length, 2);
});

test('the caller may give up while it waits', async () => {
  await using it = setup(0);
  const stop = new AbortController();
  const reading = it.parser.parseFeed(large, {}, stop.signal);
  const reason = new Error('enough');
  setImmediate(() => stop.abort(reason));
  await assert.rejects(reading, reason);
  assert.equal((await it.parser.parseFeed(large, {}, signal)).items.length, 300);
});

test('after close nothing is read', async () => {
  await using it = setup(0);
  const reading = assert.rejects(it.parser.parseFeed(large, {}, signal), { code: 'feeds.parser_failed' });
  setImmediate(() => void it.parser.close());
  await reading;
  await assert.rejects(it.parser.parseFeed(large, {}, signal), { code: 'feeds.parser_failed' });
});
