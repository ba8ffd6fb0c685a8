import assert from 'node:assert/strict';
import { it } from 'node:test';
import { conform, type Subject } from './conformance.ts';
import { channelKinds } from './kinds.ts';
import { telegramPlatform } from './telegram/fake-platform.ts';
import { telegram } from './telegram/index.ts';
import { terminal } from './terminal/index.ts';
import { web } from './web/index.ts';

const subjects: readonly Subject[] = [
  { name: 'telegram, asked', kind: telegram, platform: () => telegramPlatform('polling') },
  { name: 'telegram, calling', kind: telegram, platform: () => telegramPlatform('webhook') },
  { name: 'terminal', kind: terminal },
  { name: 'web', kind: web },
];

for (const subject of subjects) conform(subject);

it('no kind is without its conformance', () => {
  assert.deepEqual(new Set(subjects.map(({ kind }) => kind)), new Set(channelKinds));
});
