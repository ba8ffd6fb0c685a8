const MINUTE_MS = 60_000;

/** Offsets from UTC in hours of the zone names seen in feeds (RFC 822 section 5 and its successors in the wild). */
const ZONES: Readonly<Record<string, number>> = {
  z: 0,
  ut: 0,
  utc: 0,
  gmt: 0,
  wet: 0,
  west: 1,
  bst: 1,
  cet: 1,
  met: 1,
  cest: 2,
  mest: 2,
  eet: 2,
  eest: 3,
  msk: 3,
  msd: 4,
  ist: 5.5,
  sgt: 8,
  hkt: 8,
  awst: 8,
  jst: 9,
  kst: 9,
  acst: 9.5,
  acdt: 10.5,
  aest: 10,
  aedt: 11,
  nzst: 12,
  nzdt: 13,
  nst: -3.5,
  ndt: -2.5,
  brt: -3,
  art: -3,
  ast: -4,
  adt: -3,
  est: -5,
  edt: -4,
  et: -5,
  cst: -6,
  cdt: -5,
  ct: -6,
  mst: -7,
  mdt: -6,
  mt: -7,
  pst: -8,
  pdt: -7,
  pt: -8,
  akst: -9,
  akdt: -8,
  hst: -10,
};

/** Month names by their beginnings, without accents: English, German, French, Spanish, Italian, Portuguese, Dutch, Nordic. */
const MONTHS: readonly RegExp[] = [
  /^(jan|ene|gen)/,
  /^(feb|fev|fevr)/,
  /^(mar|mrt|maa)/,
  /^(apr|avr|abr)/,
  /^(may|mai|maj|mei|mag)/,
  /^(jun|juin|giu)/,
  /^(jul|juil|lug)/,
  /^(aug|aou|ago)/,
  /^(sep|set)/,
  /^(oct|okt|out|ott)/,
  /^(nov)/,
  /^(dec|dez|dic|des)/,
];

const ISO = /^([+-]?\d{4})(?:-?(\d\d)(?:-?(\d\d))?)?(?:[T\s]+(\d\d?):?(\d\d)(?::?(\d\d)(?:[.,]\d+)?)?)?\s*(.*)$/i;
const DAY_FIRST = /^(\d{1,2})[\s.-]+([a-z]+)[\s.,-]+(\d{4}|\d{2})\b/;
const MONTH_FIRST = /^([a-z]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(?:(\d{1,2}:\d.*?)\s+)?(\d{4})\b/;
const YEAR_FIRST = /^(\d{4})[\s/.-]+([a-z]+|\d{1,2})[\s/.-]+(\d{1,2})\b/;
const SLASHED = /^(\d{1,2})\/(\d{1,2})\/(\d{4})\b/;
const TIME = /\b(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.\d+)?)?\s*([ap]\.?m\b)?/;

/**
 * A date in any format seen in feeds as ISO 8601 in UTC to the second, or null when it is none: RFC 822 and 2822 with odd
 * zones and years of two digits, ISO 8601 and W3C-DTF with parts left out, asctime, dates in words, seconds since 1970.
 * A date without zone is taken as UTC.
 */
export function parseDate(text: string): string | null {
  const trimmed = text.trim();
  if (trimmed === '' || trimmed.length > 80) return null;
  if (/^\d{10}(\d{3})?$/.test(trimmed)) return toIso(Number(trimmed.padEnd(13, '0')));
  return parseIso(trimmed) ?? parseWords(trimmed);
}

function parseIso(text: string): string | null {
  const match = ISO.exec(text);
  if (!match) return null;
  const [, year = '', month = '01', day = '01', hour = '0', minute = '0', second = '0', rest = ''] = match;
  const offset = parseZone(rest);
  if (offset === null) return null;
  return build(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second), offset);
}

function parseWords(text: string): string | null {
  const plain = text
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/\s+/g, ' ');
  const bare = plain
    .replace(/^[^\d,\s]+,\s*/, '')
    .replace(/^[a-z]{3,9}\.?,? (?=\d{1,2}[ .-]+[a-z]|[a-z]{3,9}\.? \d)/, '')
    .replace(/\bde\b\s*/g, '');
  const day = findDay(bare);
  if (!day) return null;
  const rest = bare.slice(day.length);
  const time = TIME.exec(day.time ?? rest);
  const afterTime = time && day.time === undefined ? rest.slice(time.index + time[0].length) : time ? rest : '';
  const offset = parseZone(afterTime.replace(/^[\s,]+/, ''), true) ?? 0;
  const half = time?.[4]?.[0];
  const hour = Number(time?.[1] ?? 0);
  const hours = half === undefined ? hour : (hour % 12) + (half === 'p' ? 12 : 0);
  return build(day.year, day.month, day.day, hours, Number(time?.[2] ?? 0), Number(time?.[3] ?? 0), offset);
}

interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly length: number;
  readonly time?: string;
}

function findDay(text: string): Day | null {
  let match = DAY_FIRST.exec(text);
  if (match) return { day: Number(match[1]), month: monthOf(match[2]!), year: fullYear(match[3]!), length: match[0].length };
  match = MONTH_FIRST.exec(text);
  if (match)
    return {
      month: monthOf(match[1]!),
      day: Number(match[2]),
      year: Number(match[4]),
      length: match[0].length,
      ...(match[3] !== undefined && { time: match[3] }),
    };
  match = YEAR_FIRST.exec(text);
  if (match) return { year: Number(match[1]), month: monthOf(match[2]!), day: Number(match[3]), length: match[0].length };
  match = SLASHED.exec(text);
  if (!match) return null;
  const [first, second] = [Number(match[1]), Number(match[2])];
  // 4/7 is April in most such feeds; 17/4 can only be a day first.
  return { year: Number(match[3]), month: (first > 12 ? second : first) - 1, day: first > 12 ? first : second, length: match[0].length };
}

function monthOf(word: string): number {
  return /^\d/.test(word) ? Number(word) - 1 : MONTHS.findIndex((each) => each.test(word));
}

/** Two digits mean 1970 to 2069. */
function fullYear(digits: string): number {
  const year = Number(digits);
  return digits.length > 2 ? year : year + (year < 70 ? 2000 : 1900);
}

/** Minutes east of UTC; 0 for no zone, null for something that is no zone. */
function parseZone(text: string, lenient = false): number | null {
  const zone = text.trim().toLowerCase();
  if (zone === '') return 0;
  const offset = /^(?:gmt|utc|ut|z)?\s*([+-])\s?(\d{1,2}):?(\d\d)?(?!\d)/.exec(zone);
  if (offset) return (offset[1] === '-' ? -1 : 1) * (Number(offset[2]) * 60 + Number(offset[3] ?? 0));
  const name = /^\(?([a-z]+)\)?/.exec(zone)?.[1];
  const hours = name === undefined ? undefined : ZONES[name];
  if (hours === undefined) return lenient ? 0 : null;
  return hours * 60;
}

function build(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  offsetMinutes: number,
): string | null {
  if (month < 0 || month > 11 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60 || year < 1) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  date.setUTCHours(hour, minute, Math.min(second, 59));
  return toIso(date.getTime() - offsetMinutes * MINUTE_MS);
}

function toIso(ms: number): string | null {
  const date = new Date(ms);
  const year = date.getUTCFullYear();
  return year >= 0 && year <= 9999 ? `${date.toISOString().slice(0, 19)}Z` : null;
}
