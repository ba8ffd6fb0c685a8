import { randomFillSync } from 'node:crypto';

/** Makes ids that sort by the time of their making. */
export type NewId = () => string;

/** UUID version 7 (RFC 9562, section 5.7), monotonic within one generator. */
export function uuidv7(now: () => number = Date.now): NewId {
  const pool = Buffer.alloc(4096);
  let used = pool.length;
  let lastMs = 0;
  let counter = 0;
  return () => {
    if (used + 8 > pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const ms = Math.max(now(), lastMs);
    counter = ms === lastMs ? counter + 1 : pool.readUInt16BE(used) & 0x07ff;
    lastMs = ms;
    if (counter > 0x0fff) {
      lastMs += 1;
      counter = 0;
    }
    const time = lastMs.toString(16).padStart(12, '0');
    const high = (0x7000 | counter).toString(16);
    const variant = (0x8000 | (pool.readUInt16BE(used) & 0x3fff)).toString(16);
    const low = pool.toString('hex', used + 2, used + 8);
    used += 8;
    return `${time.slice(0, 8)}-${time.slice(8)}-${high}-${variant}-${low}`;
  };
}

/** Ids for tests: `id-1`, `id-2`, … */
export function sequentialIds(prefix = 'id'): NewId {
  let last = 0;
  return () => `${prefix}-${(last += 1)}`;
}
