const LOCALE = 'en';

const UNITS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, ms: number])[] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
];

/** `3 minutes ago`, `in 2 hours`, `now`; beyond a week the date. */
export function relativeTime(at: number, now: number): string {
  const distance = at - now;
  const size = Math.abs(distance);
  if (size < 5_000) return 'just now';
  if (size > 7 * 86_400_000) return new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium' }).format(at);
  const [unit, ms] = UNITS.find(([, length]) => size >= length) ?? UNITS[3]!;
  return new Intl.RelativeTimeFormat(LOCALE, { numeric: 'auto' }).format(Math.trunc(distance / ms), unit);
}

/** Date and time to the second, in the reader's own zone. */
export function absoluteTime(at: number): string {
  return new Intl.DateTimeFormat(LOCALE, { dateStyle: 'full', timeStyle: 'long' }).format(at);
}

/** `Saturday, 21 November`. */
export function dayName(at: number): string {
  return new Intl.DateTimeFormat('en-GB', { weekday: 'long', day: 'numeric', month: 'long' }).format(at);
}

/** `420 ms`, `3.4 s`, `2 min 5 s`, `3 h 20 min`, `4 d 2 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 10) return `${(ms / 1_000).toFixed(1)} s`;
  const pair = (big: number, small: number, names: readonly [string, string]): string =>
    small === 0 ? `${big} ${names[0]}` : `${big} ${names[0]} ${small} ${names[1]}`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return pair(Math.floor(seconds / 60), seconds % 60, ['min', 's']);
  if (seconds < 86_400) return pair(Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60), ['h', 'min']);
  return pair(Math.floor(seconds / 86_400), Math.floor((seconds % 86_400) / 3_600), ['d', 'h']);
}

/** US dollars: `$0`, `$1.20`; tiny amounts keep two digits that count: `$0.0034`. */
export function money(usd: number): string {
  if (usd === 0) return '$0';
  if (usd >= 0.1) return `$${usd.toFixed(2)}`;
  return usd < 0.0001 ? '< $0.0001' : `$${Number(usd.toPrecision(2))}`;
}

/** A size in words: `4.7 kB`. */
export function bytes(count: number): string {
  if (count < 1_000) return `${count} B`;
  return count < 1e6 ? `${(count / 1e3).toFixed(1)} kB` : `${(count / 1e6).toFixed(1)} MB`;
}
