import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseDate } from './dates.ts';

test('dates in every format seen in feeds are read as UTC', () => {
  const cases: Record<string, string> = {
    'Mon, 02 Nov 2026 08:30:00 GMT': '2026-11-02T08:30:00Z',
    'Mon, 2 Nov 26 08:30 +0100': '2026-11-02T07:30:00Z',
    '02 Nov 99 08:30:15 EST': '1999-11-02T13:30:15Z',
    'Mon, 02 Nov 2026 08:30:00 PDT': '2026-11-02T15:30:00Z',
    'Mon, 02 Nov 2026 08:30:00 -0330': '2026-11-02T12:00:00Z',
    'Mon, 02 Nov 2026 24:00:00 GMT': '2026-11-03T00:00:00Z',
    'Mon,02 Nov 2026 08:30:00 Z': '2026-11-02T08:30:00Z',
    'Monday, 02-Nov-26 08:30:00 UTC': '2026-11-02T08:30:00Z',
    'Mon Nov  2 08:30:00 2026': '2026-11-02T08:30:00Z',
    'Mon Nov 02 08:30:00 +0100 2026': '2026-11-02T08:30:00Z',
    'Sat, Dec 16 2023 02:02:33 PM': '2023-12-16T14:02:33Z',
    'November 2nd, 2026': '2026-11-02T00:00:00Z',
    'Mo, 02 März 2026 08:30:00 +0100': '2026-03-02T07:30:00Z',
    'lun., 02 févr. 2026 08:30:00 +0100': '2026-02-02T07:30:00Z',
    '2026-11-02T08:30:00Z': '2026-11-02T08:30:00Z',
    '2026-11-02T08:30:00.123456-05:00': '2026-11-02T13:30:00Z',
    '2026-11-02 08:30:00 +0200': '2026-11-02T06:30:00Z',
    '2026-11-02T08:30+0530': '2026-11-02T03:00:00Z',
    '20261102T083000Z': '2026-11-02T08:30:00Z',
    '2026-11-02': '2026-11-02T00:00:00Z',
    '2026-11': '2026-11-01T00:00:00Z',
    '2026': '2026-01-01T00:00:00Z',
    '2026-11-02 08:30:00 UTC': '2026-11-02T08:30:00Z',
    '2026/11/02 08:30': '2026-11-02T08:30:00Z',
    '11/02/2026 8:30 AM': '2026-11-02T08:30:00Z',
    '17/02/2026': '2026-02-17T00:00:00Z',
    '1793608200': '2026-11-02T08:30:00Z',
    '1793608200000': '2026-11-02T08:30:00Z',
  };
  for (const [text, iso] of Object.entries(cases)) assert.equal(parseDate(text), iso, text);
});

test('what is no date is none', () => {
  for (const text of ['', ' ', 'yesterday', '2026-13-01', '32 Nov 2026', 'Mon, 02 Foo 2026', '2026-11-02T25:00:00Z', 'x'.repeat(1_000)])
    assert.equal(parseDate(text), null, text);
});

test('a date written by any of the standards is read back', () => {
  const second = fc.date({ min: new Date(0), max: new Date('2069-12-31T23:59:59Z'), noInvalidDate: true });
  fc.assert(
    fc.property(second, (date) => {
      const iso = `${date.toISOString().slice(0, 19)}Z`;
      assert.equal(parseDate(date.toISOString()), iso);
      assert.equal(parseDate(date.toUTCString()), iso);
      assert.equal(parseDate(iso), iso);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (text) => {
      const date = parseDate(text);
      assert.ok(date === null || /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(date));
    }),
  );
});
