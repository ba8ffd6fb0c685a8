import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { nextOccurrences, parseCron } from './cron.ts';

interface Case {
  expression: string;
  tz: string;
  from: string;
  tag: string;
  expected: string[] | 'error';
}
const cases = (file: string): Case[] =>
  readFileSync(new URL(`fixtures/${file}`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Case);

describe('cron', () => {
  for (const [tag, group] of Object.entries(Object.groupBy(cases('cron.jsonl'), ({ tag }) => tag))) {
    it(`${tag}: ${group!.length} expressions run when most libraries say they do`, () => {
      for (const { expression, tz, from, expected } of group!) {
        const next = () =>
          nextOccurrences(parseCron(expression, tz), Date.parse(from), Array.isArray(expected) ? expected.length : 1).map((ms) =>
            new Date(ms).toISOString().replace('.000Z', 'Z'),
          );
        if (expected === 'error') assert.throws(next, { code: 'schedule.bad_expression' }, expression);
        else assert.deepEqual(next(), expected, `${expression} ${tz} ${from}`);
      }
    });
  }

  it('answers where the libraries disagree too, always with times that go up', () => {
    for (const { expression, tz, from } of cases('cron-disputed.jsonl')) {
      const times = nextOccurrences(parseCron(expression, tz), Date.parse(from), 3);
      assert.equal(times.length, 3);
      assert.ok(times.every((at, i) => at > (times[i - 1] ?? Date.parse(from))));
    }
  });

  it('a schedule followed from occurrence to occurrence runs once in the night the clocks go back', () => {
    const schedule = parseCron('30 2 * * *', 'Europe/Berlin');
    const times = nextOccurrences(schedule, Date.parse('2026-10-24T12:00:00Z'), 2).map((ms) => new Date(ms).toISOString());
    assert.deepEqual(times, ['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z']);
  });

  it('names a time zone that does not exist', () => {
    assert.throws(() => parseCron('* * * * *', 'Mars/Olympus'), { code: 'schedule.bad_time_zone' });
  });
});
