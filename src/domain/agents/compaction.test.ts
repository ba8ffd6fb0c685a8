import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { memoryStore, onEveryEngine } from '#core/db/testing';
import type { Label } from '#runs/contract';
import { saidOf, shorten, viewOf, type Summary } from './history.ts';
import type { MessageRow } from './tables.ts';
import { endOf, setup, testMigrations, type BedOptions } from './testbed.ts';

const OLD = 'tomatoes grow slowly here, and that is well known. ';
const isSummary = (body: unknown): boolean => JSON.stringify(body).includes('You keep the notes of a long conversation');

/** Whoever answers long, and sums up in a few words that say how often they did. */
function answering(): NonNullable<BedOptions['script']> {
  let summaries = 0;
  return ({ body }) => ({ text: isSummary(body) ? `Summary ${(summaries += 1)}.` : OLD.repeat(8) });
}

type Bed = Awaited<ReturnType<typeof setup>>;

async function talk(bed: Bed, id: string, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n += 1) {
    assert.equal(endOf(await bed.say(id, `question ${n}`)).status, 'succeeded');
    await bed.agents.compaction.idle();
  }
}

const settings = { 'agents.history_chars': 2_000, 'agents.recall': 'off' };
const promptOf = (bed: Bed): string => JSON.stringify(bed.fake.requests.findLast(({ body }) => !isSummary(body))!.body);

onEveryEngine('the summary of a long conversation', (open) => {
  it('goes in the place of what is left out, is made anew from itself, and takes nothing away', async () => {
    await using bed = await setup({ store: await open(testMigrations), settings, script: answering() });
    const { id } = await bed.conversations.add({});
    await talk(bed, id, 0, 3);
    assert.equal(await bed.conversations.summary(id), null);
    assert.doesNotMatch(promptOf(bed), /Summary 1/);
    await talk(bed, id, 3, 6);
    const first = await bed.conversations.summary(id);
    assert.equal(first?.text, 'Summary 1.');
    assert.match(promptOf(bed), /source=\\"a summary of what was said before\\">\\nSummary 1\.\\n/);
    await talk(bed, id, 6, 9);
    const second = await bed.conversations.summary(id);
    assert.ok(second!.until > first.until && second!.messages > first.messages);
    const asked = bed.fake.requests.filter(({ body }) => isSummary(body)).map(({ body }) => JSON.stringify(body));
    assert.match(asked[1]!, /the summary so far[^]*Summary 1\./);
    assert.doesNotMatch(asked[1]!, /question 0/);
    assert.equal((await bed.conversations.messages(id, { limit: 50 })).items.length, 18);
    await bed.conversations.remove(id);
    assert.equal(await bed.store.db.selectFrom('agent_summary').selectAll().executeTakeFirst(), undefined);
  });
});

describe('a summary', () => {
  it('is on the budget and in the journal of the turn, and says in `turn.begun` what is where', async () => {
    await using bed = await setup({ settings, script: () => ({ text: OLD.repeat(8), usage: { input: 1_000, output: 100 } }) });
    const { id } = await bed.conversations.add({});
    await talk(bed, id, 0, 6);
    const { items } = await bed.runs.list({ limit: 20 });
    const runs = await Promise.all(items.map((run) => bed.runs.detail(run.id)));
    const payer = runs.find(({ journal }) => journal.some(({ type }) => type === 'turn.summarised'))!;
    const plain = runs.find(({ journal }) => journal.every(({ type }) => type !== 'turn.summarised'))!;
    assert.ok(payer.costUsd > 1.9 * plain.costUsd);
    const calls = payer.journal.filter(({ type }) => type === 'llm.settled').length;
    assert.equal(calls, 2);
    const begun = runs[0]!.journal.find(({ type }) => type === 'turn.begun')!.data as { summarised: number; leftOut: number };
    assert.deepEqual([begun.summarised > 0, begun.leftOut], [true, 0]);
  });

  it('that fails, or is empty, changes nothing, and is tried again after the next turn', async () => {
    let wrong: 'fails' | 'is empty' | null = 'fails';
    const script: BedOptions['script'] = ({ body }) => {
      if (!isSummary(body)) return { text: OLD.repeat(8) };
      return wrong === 'fails' ? { status: 400 } : { text: wrong === null ? 'Summary.' : ' ' };
    };
    await using bed = await setup({ settings, script });
    const { id } = await bed.conversations.add({});
    const failures = async (): Promise<number> => {
      const runs = await Promise.all((await bed.runs.list({ limit: 50 })).items.map((run) => bed.runs.detail(run.id)));
      return runs.flatMap(({ journal }) => journal).filter(({ type }) => type === 'turn.summary_failed').length;
    };
    await talk(bed, id, 0, 6);
    assert.deepEqual([await bed.conversations.summary(id), await failures()], [null, 2]);
    wrong = 'is empty';
    await talk(bed, id, 6, 7);
    assert.deepEqual([await bed.conversations.summary(id), await failures()], [null, 3]);
    assert.match(promptOf(bed), /question 6/);
    assert.equal((await bed.conversations.messages(id, { limit: 50 })).items.length, 14);
    wrong = null;
    await talk(bed, id, 7, 8);
    assert.equal((await bed.conversations.summary(id))?.text, 'Summary.');
    wrong = 'fails';
    await talk(bed, id, 8, 12);
    assert.equal((await bed.conversations.summary(id))?.text, 'Summary.');
  });

  it('is written without a model too, and not at all when it is off', async () => {
    await using bed = await setup({ settings: { ...settings, 'agents.history_chars': 1_000 }, provider: false });
    const { id } = await bed.conversations.add({});
    for (let n = 0; n < 5; n += 1)
      await bed.say(id, `Point ${n}: the ferry leaves at ${n}. It is green. Nobody knows who owns it, though many have asked.`);
    await bed.agents.compaction.idle();
    const summary = await bed.conversations.summary(id);
    assert.equal(summary?.offline, true);
    assert.match(summary.text, /ferry/);
    assert.doesNotMatch(summary.text, /Written without a model/);
    await using off = await setup({ settings: { ...settings, 'agents.summaries': false }, script: answering() });
    const other = await off.conversations.add({});
    await talk(off, other.id, 0, 8);
    assert.equal(await off.conversations.summary(other.id), null);
  });

  it('has the labels of all that it summarises, and so has the answer that was given it', async () => {
    await using bed = await setup({ store: await memoryStore(testMigrations), settings, script: answering() });
    const { id } = await bed.conversations.add({});
    const origin = { kind: 'channel' as const };
    for await (const _ of bed.turns.turn({ conversationId: id, text: 'from a stranger', origin, labels: ['untrusted'], signal: AbortSignal.timeout(5_000) })); // prettier-ignore
    await talk(bed, id, 0, 8);
    const summary = await bed.conversations.summary(id);
    assert.ok(summary!.labels.includes('untrusted'));
    const { items } = await bed.conversations.messages(id, { limit: 1 });
    assert.ok(items[0]!.labels.includes('untrusted'));
  });
});

const unit = fc.constantFrom('a', 'b', ' ');

/** Exchanges as they come about: answered, failed without a word, answered twice, not answered. */
const exchange = fc.record({
  ask: fc.string({ unit, maxLength: 60, size: 'max' }).map((text) => `q${text}`),
  answers: fc.array(
    fc.option(
      fc.string({ unit, maxLength: 90, size: 'max' }).map((text) => `a${text}`),
      { nil: '' },
    ),
    { maxLength: 2 },
  ),
  labels: fc.subarray<Label>(['owner', 'untrusted', 'private']),
});

function rowsOf(exchanges: readonly { ask: string; answers: readonly string[]; labels: readonly Label[] }[]): MessageRow[] {
  const rows: MessageRow[] = [];
  const add = (role: MessageRow['role'], text: string, reply_to: string | null, labels: readonly Label[]): string => {
    const id = String(rows.length + 1).padStart(4, '0');
    rows.push({ id, conversation_id: 'c', run_id: 'r', role, text, context: '[]', parts: '[]', reply_to, receipt: null, labels: JSON.stringify(labels), status: 'complete', error: null, created_at: 0 }); // prettier-ignore
    return id;
  };
  for (const { ask, answers, labels } of exchanges) {
    const id = add('user', ask, null, labels);
    for (const answer of answers) add('assistant', answer, id, labels);
  }
  return rows;
}

describe('the view of any history', () => {
  it('never loses the latest, never exceeds its limit, and every message is in it, summarised, or counted as left out', () => {
    fc.assert(
      fc.property(
        fc.array(exchange, { maxLength: 25, size: 'max' }),
        fc.oneof(fc.integer({ min: 40, max: 120 }), fc.integer({ min: 40, max: 1_500 })),
        fc.nat(60),
        fc.boolean(),
        (given, limit, covered, has) => {
          const rows = rowsOf(given);
          const newestFirst = rows.toReversed();
          const said = saidOf(newestFirst);
          const summary: Summary | null =
            has && rows.length > 0
              ? { text: 's'.repeat(600), labels: ['private'], last: rows[Math.min(covered, rows.length - 1)]!.id }
              : null;
          const view = viewOf(newestFirst, limit, '0123456789abcdef', { summary });
          const texts = view.messages.flatMap(({ parts }) => parts.map((part) => ('text' in part ? part.text : '')));
          const size = texts
            .map((text) => text.replaceAll(/<\/?data-[^>]*>\n?|\n(?=<\/data)/g, '').length)
            .reduce((sum, it) => sum + it, 0);
          assert.ok(size <= limit, `${size} of ${limit}`);
          assert.ok(texts.every((text) => text !== ''));
          const shown = rows.filter(({ id }) => view.inView.includes(id));
          const stands = JSON.stringify(view.messages).includes('a summary of what was said before');
          const room = limit - (stands ? Math.min(600, Math.floor(limit / 4)) : 0);
          const whole = shown.reduce((sum, { text }) => sum + text.length, 0);
          const lastTwo = said.slice(0, 2).reduce((sum, { text }) => sum + text.length, 0);
          assert.ok(whole <= Math.max(room, lastTwo), 'only the last exchange is shortened');
          if (said.length > 0) assert.equal(view.inView.at(-1), said[0]!.id, 'the latest is there');
          assert.equal(view.inView.length + view.summarised + view.dropped, said.length);
          const left = said.filter(({ id }) => !view.inView.includes(id));
          assert.ok(
            left.every(({ id }) => id < view.inView[0]!),
            'what is left out is the oldest',
          );
          assert.equal(view.summarised, stands ? left.filter(({ id }) => id <= summary!.last).length : 0);
          if (summary && left.length > 0) assert.ok(stands && view.labels.has('private'));
          for (const row of shown) for (const label of JSON.parse(row.labels) as Label[]) assert.ok(view.labels.has(label));
          assert.ok(
            view.messages.every(({ role }, at) => role === (at % 2 === 0 ? 'user' : 'assistant')),
            'turns alternate',
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('shortens to what it is told, and to no more', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(50), (text, chars) => {
        const short = shorten(text, chars);
        assert.ok(short.length <= chars && (text.length > chars || short === text));
      }),
    );
  });
});
