// 1 MiB of prose, code and base64 scanned for the vault's own secrets and for those of any provider, beside one pass that only looks at each
// character. Processor time, so that what else the machine does is left out.
import { createRedactor } from '#vault';
import { median, type Bench } from './figure.ts';

const SIZE = 2 ** 20;

const bench: Bench = {
  name: 'Secret scan: 1 MiB',
  goal: 'under 20 ms',
  async run({ quick }) {
    const redactor = createRedactor();
    redactor.load(Array.from({ length: 50 }, (_, i) => ({ name: `s${i}`, value: `bench-${(i * 2_654_435_761).toString(36)}-value-${i}` })));
    const texts = { prose: filled(PROSE), code: filled(CODE), base64: filled(BASE64) };
    const rounds = quick ? 15 : 60;
    const measured = Object.entries(texts).map(([name, text]) => {
      const pairs = Array.from({ length: rounds }, () => ({ base: time(() => onePass(text)), ours: time(() => redactor.redact(text)) }));
      const of = (pick: (pair: (typeof pairs)[number]) => number): number => median(pairs.slice(5).map(pick));
      return { name, base: of((p) => p.base), ours: of((p) => p.ours) };
    });
    const worst = measured.toSorted((a, b) => b.ours - a.ours)[0]!;
    return {
      baseline: worst.base,
      value: worst.ours,
      unit: 'ms',
      ratio: worst.ours / worst.base,
      extra: {
        ...Object.fromEntries(measured.map(({ name, ours }) => [`${name} ms`, ours])),
        ...streaming(redactor, texts.prose.slice(0, 40_000)),
      },
    };
  },
};
export default bench;

/** An answer in pieces of four characters: what each piece costs, and how many characters wait on average. */
function streaming(redactor: ReturnType<typeof createRedactor>, text: string): Record<string, number> {
  let [from, waiting, pieces] = [0, 0, 0];
  const ms = time(() => {
    for (let at = 4; at <= text.length; at += 4) {
      const context = Math.max(0, from - 256);
      from = context + redactor.part(text.slice(context, at), from - context).held;
      waiting += at - from;
      pieces += 1;
    }
  });
  return { 'us a streamed piece': (ms * 1_000) / pieces, 'characters held back': waiting / pieces };
}

let sink = 0;

function onePass(text: string): void {
  let hash = 0;
  for (let at = 0; at < text.length; at += 1) hash = ((hash << 5) ^ text.charCodeAt(at)) & 0x7fff;
  sink ^= hash;
}

/** Milliseconds of the processor. */
function time(fn: () => unknown): number {
  const started = process.cpuUsage();
  fn();
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1_000;
}

function filled(part: string): string {
  return part.repeat(Math.ceil(SIZE / part.length)).slice(0, SIZE);
}

const PROSE = `The keeper of a castle runs the house and holds the keys. Every token of trust is written down, and a password is never spoken:
whoever asks is asked in turn. On 21 November 2026 at 07:00 the briefing came, with 14 items from https://example.org/news?page=2, and the
access was as it should be. Authorization is the owner's; the secret of a good house is order. `;
const CODE = `export function tokenOf({ id, name }: Session): string | null {\n  const apiKey = config.get('api.key') ?? null;\n  return apiKey === null ? null : \`\${id}:\${name}\`;\n}\n`;
const BASE64 = Array.from(
  { length: 4_000 },
  (_, i) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'[(i * i * 31 + i * 7) % 64],
).join('');
