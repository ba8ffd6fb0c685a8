import { AppError } from '../errors.ts';

/** A bad value: names the key and the fix, and never repeats the value, which may be a secret put in the wrong place. */
export function bad(key: string, problem: string, fix: string): AppError {
  return new AppError('invalid', 'config.invalid', `${key} ${problem}: ${fix}`, { key });
}

/** A key nobody knows, with the one that was probably meant. */
export function unknown(key: string, where: string, known: readonly string[], hint = ''): AppError {
  const [meant] = known.map((name) => ({ name, distance: distance(key, name) })).toSorted((a, b) => a.distance - b.distance);
  const isNear = meant !== undefined && meant.distance <= Math.max(2, Math.ceil(key.length / 3));
  const advice = isNear ? `did you mean ${meant.name}?` : `known are ${known.join(', ')}`;
  return new AppError('invalid', 'config.unknown_key', `${where} has no option ${key}: ${advice}${hint}`, {
    key,
    ...(isNear && { nearest: meant.name }),
  });
}

/** Levenshtein's distance, letters without case. */
function distance(one: string, other: string): number {
  const [a, b] = [one.toLowerCase(), other.toLowerCase()];
  let above = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1)
      row.push(Math.min(row[j - 1]! + 1, above[j]! + 1, above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    above = row;
  }
  return above[b.length]!;
}
