import { after } from 'node:test';
import type { Json } from '#core/json';
import { createFeedParser } from '#feeds';
import { sampleFeed } from '#feeds/testing';
import { conform, type Subject } from './conformance.ts';
import type { Skill } from './contract.ts';
import { builtInSkills } from './kinds.ts';
import { memoryFeeds } from './testing.ts';

const URL = 'https://feeds.example.org/all.xml';
const web = { [URL]: { contentType: 'application/rss+xml', body: sampleFeed('rss', 4) } };
const items: Json = [{ title: 'A new kernel' }, { id: 'b', title: 'The harbour council', summary: 'On storms.' }];
const scores = (score: number) => (): Json => ({ scores: [0, 1, 2, 3].map((index) => ({ index, score, reason: 'because' })) });
const page = {
  'https://example.org/page': { body: '<html><head><title>T</title></head><body><article><p>Words to read.</p></article></body></html>' },
  'https://example.org/none': { status: 404 },
};

const cases: Readonly<Record<string, Subject['cases']>> = {
  rss_fetch: [
    { name: 'news', config: { feeds: [URL], recentHours: 0 }, world: { web }, outcome: 'on_items' },
    { name: 'nothing recent', config: { feeds: [URL], recentHours: 1 }, world: { web }, outcome: 'on_empty' },
  ],
  llm_score: [
    { name: 'wanted', input: items, world: { answer: scores(0.9) }, outcome: 'on_items' },
    { name: 'unwanted', input: { items }, world: { answer: scores(0.1) }, outcome: 'on_empty' },
    { name: 'nothing', outcome: 'on_empty' },
  ],
  llm_transform: [
    { name: 'text', input: 'Long words', world: { prompt: 'Shorten {{ input }}' }, outcome: 'on_success' },
    {
      name: 'json',
      input: 'Rome',
      config: { format: 'json', schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
      world: { prompt: 'Which city?', answer: () => ({ city: 'Rome' }) },
      outcome: 'on_success',
    },
  ],
  rss_collector: [
    { name: 'wanted', config: { feeds: [URL], recentHours: 0, notify: true }, world: { web, answer: scores(0.9) }, outcome: 'on_items' },
    { name: 'unwanted', config: { feeds: [URL], recentHours: 0, notify: true }, world: { web, answer: scores(0) }, outcome: 'on_empty' },
  ],
  notify: [
    { name: 'text', input: 'Hello', outcome: 'on_delivered' },
    { name: 'no channel', input: items, config: { optional: true }, world: { channels: [] }, outcome: 'on_skipped' },
  ],
  web_fetch: [
    { name: 'page', config: { url: 'https://example.org/page' }, world: { web: page }, outcome: 'on_success' },
    { name: 'missing', input: { url: 'https://example.org/none' }, world: { web: page }, outcome: 'on_not_found' },
  ],
  conversational: [{ name: 'talk', input: 'How are you?', outcome: 'on_success' }],
};

const parser = createFeedParser();
after(() => parser.close());
for (const skill of builtInSkills({ feeds: memoryFeeds(), parser })) conform({ skill, cases: casesOf(skill) });

function casesOf({ name }: Skill): Subject['cases'] {
  const found = cases[name];
  if (!found) throw new Error(`${name} has no cases: every skill in kinds.ts runs the conformance suite`);
  return found;
}
