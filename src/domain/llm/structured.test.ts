import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { readJsonAnswer } from './structured.ts';
import { setup } from './testbed.ts';

const Verdict = z.strictObject({ label: z.enum(['good', 'bad']), score: z.number().min(0).max(1) });
const good = { label: 'good', score: 0.5 };

describe('reading JSON of an answer', () => {
  const cases: readonly [string, unknown][] = [
    ['{"a": 1}', { a: 1 }],
    ['```json\n{"a": 1}\n```', { a: 1 }],
    ['```\n[1, 2,]\n```', [1, 2]],
    ['{"a": [1, 2, ], "b": "x,}",\n}', { a: [1, 2], b: 'x,}' }],
    ['{"a": "\\",]"}', { a: '",]' }],
    ['Here it is: {"a": 1}', undefined],
    ['{"a": 1} Hope that helps!', undefined],
    ['', undefined],
  ];
  for (const [text, expected] of cases) it(JSON.stringify(text), () => assert.deepEqual(readJsonAnswer(text), expected));

  it('reads every JSON value there is, fenced or not', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const expected: unknown = JSON.parse(JSON.stringify(value));
        for (const text of [JSON.stringify(value), JSON.stringify(value, null, 2), `\`\`\`json\n${JSON.stringify(value)}\n\`\`\``])
          assert.deepEqual(readJsonAnswer(text), expected);
      }),
    );
  });
});

describe('an answer by schema', () => {
  async function bed() {
    const t = await setup();
    await t.provider('P', { kind: 'compatible', secret: null });
    const judge = (request: object = {}) =>
      t
        .scoped({ runId: 'r' })
        .object({ prompt: 'Judge', schema: Verdict, schemaName: 'verdict', signal: AbortSignal.timeout(5_000), ...request });
    return Object.assign(t, { judge });
  }

  it('asks the provider for the schema and gives the value', async () => {
    await using t = await bed();
    const { value } = await t.judge();
    assert.equal(value.label, 'good');
    assert.deepEqual(Object.keys((t.fake.requests[0]!.schema as { properties: object }).properties), ['label', 'score']);
  });

  it('asks again with what was wrong, and counts every call', async () => {
    await using t = await bed();
    const usage = { input: 10, output: 5 };
    t.fake.reply(
      { text: 'I think it is good.', usage },
      { text: '{"label": "fine", "score": 2}', usage },
      { text: `\`\`\`json\n${JSON.stringify(good)}\n\`\`\``, usage },
    );
    const { value, receipt } = await t.judge();
    assert.deepEqual(value, good);
    assert.equal(receipt.usage.inputTokens, 30);
    const said = JSON.stringify(t.fake.requests[2]?.body);
    for (const part of ['not valid JSON', 'label', 'score', 'fine']) assert.ok(said.includes(part), part);
    assert.equal((await t.ledger()).length, 3);
  });

  it('gives up after asking again twice', async () => {
    await using t = await bed();
    t.fake.reply({ text: 'no' }, { text: 'no' }, { text: 'no' }, { text: JSON.stringify(good) });
    await assert.rejects(t.judge(), { code: 'llm.bad_output' });
    assert.equal(t.fake.requests.length, 3);
  });

  it('does not ask the provider without a model twice', async () => {
    await using t = await setup();
    await assert.rejects(
      t.scoped().object({ prompt: 'Judge', schema: Verdict, schemaName: 'verdict', signal: AbortSignal.timeout(5_000) }),
      { code: 'llm.failed' },
    );
    assert.equal((await t.ledger()).length, 1);
  });

  it('comes from the provider without a model where the task allows', async () => {
    await using t = await setup();
    const Scores = z.object({ scores: z.array(z.object({ index: z.number(), score: z.number(), reason: z.string() })) });
    const items = [
      { title: 'Rust 2.0 released', text: 'The language' },
      { title: 'Football', text: 'A match' },
    ];
    const { value, receipt } = await t.scoped().object({
      prompt: 'Score',
      schema: Scores,
      schemaName: 'scores',
      task: { kind: 'score', items, interests: 'rust language' },
      signal: AbortSignal.timeout(5_000),
    });
    assert.equal(value.scores.length, 2);
    assert.equal(receipt.offline, true);
  });
});
