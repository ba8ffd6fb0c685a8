import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import type { ScanResult } from '#vault/contract';
import type { Cli } from '../context.ts';
import { readText } from '../files.ts';
import { plain, table } from '../words.ts';

/** `scan`: what a text holds that should not be there. It needs no agent, and knows nothing of the vault's own secrets. */
export function scanCommands(program: Command, cli: () => Cli): void {
  program
    .command('scan [file]')
    .description('secrets, and hidden or injected instructions, in a text; "-" or nothing reads standard input')
    .option('--lines', 'read JSON lines { "id", "text" } and answer each with { "id", "secrets", "injection" }, in order')
    .action(async (file: string | undefined, { lines }: { lines?: boolean }) => {
      const io = cli();
      const { answerScanLine, createRedactor, scanWhole } = await import('#vault');
      const redactor = createRedactor();
      if (lines) return answerLines(file, (line) => answerScanLine(line, redactor));
      const text = await readText(file ?? '-', io);
      const result = await scanWhole(text, redactor);
      io.print(result, () => inWords(text, result));
    });
}

/** One line out for one line in, as they come. */
async function answerLines(file: string | undefined, answer: (line: string) => Promise<unknown>): Promise<void> {
  const input = file === undefined || file === '-' ? process.stdin : (await import('node:fs')).createReadStream(file);
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    const isTaken = process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
    if (!isTaken) await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
}

/** Where each secret stands and how it begins; never the whole. */
function inWords(text: string, { secrets, injection }: ScanResult): string {
  const found = table(
    ['LINE', 'PROVIDER', 'BEGINS', 'CHARACTERS'],
    secrets.map(({ provider, start, end }) => [
      String(text.slice(0, start).split('\n').length),
      provider,
      plain(`${text.slice(start, Math.min(end, start + 4))}…`),
      `${start}-${end}`,
    ]),
  );
  const orders = [`Orders to a model: ${Math.round(injection.score * 100)} of 100`, ...injection.reasons.map((it) => `  ${plain(it)}`)];
  return [secrets.length === 0 ? 'No secrets found.' : found, ...orders].join('\n');
}
