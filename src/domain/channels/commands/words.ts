import type { RunSummary } from '#runs/contract';

/** `3 d 4 h`, `2 min 5 s`, `0 s`: the two largest units. */
export function duration(ms: number): string {
  let left = Math.max(0, Math.floor(ms / 1_000));
  const parts: string[] = [];
  for (const [seconds, unit] of [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ] as const) {
    const count = Math.floor(left / seconds);
    left -= count * seconds;
    if (count > 0) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}

/** The end of an id tells runs apart, its beginning only says when. */
export function shortId(id: string): string {
  return id.slice(-8);
}

/** One run in one line. */
export function runLine(run: RunSummary, now: number): string {
  const since = Date.parse(run.endedAt ?? run.startedAt ?? run.createdAt);
  const when = run.endedAt === null ? `for ${duration(now - since)}` : `${duration(now - since)} ago`;
  return `- \`${shortId(run.id)}\` **${run.title}** ${run.status}${run.outcome ? ` (${run.outcome})` : ''}, ${when}`;
}
