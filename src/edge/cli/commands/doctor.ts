import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { Cli } from '../context.ts';
import type { Finding } from '../doctor/checks.ts';
import { plain } from '../words.ts';

/** Looks at everything, with an agent running or without. */
export function doctorCommand(program: Command, cli: () => Cli): void {
  program
    .command('doctor')
    .description('check everything: say what is wrong and how to mend it')
    .option('--fix', 'mend what is safe to mend: permissions, files that a dead process left')
    .action(async ({ fix = false }: { fix?: boolean }) => {
      const io = cli();
      const { examine } = await import('../doctor/examine.ts');
      const findings = await examine(io, { fix });
      const isWell = findings.every(({ status }) => status !== 'fail');
      io.print({ ok: isWell, findings }, () => [...findings.map(line), '', summary(findings)].join('\n'));
      if (!isWell) process.exitCode = 1;
    });
}

const MARKS = { ok: ['green', 'ok  '], warn: ['yellow', 'warn'], fail: ['red', 'FAIL'] } as const;

function line({ check, status, says, mend, fixed }: Finding): string {
  return `${styleText(MARKS[status][0], MARKS[status][1])}  ${check.padEnd(15)}${plain(says)}${fixed ? ' (mended now)' : ''}${mend ? `\n${' '.repeat(21)}→ ${mend}` : ''}`;
}

function summary(findings: readonly Finding[]): string {
  const count = (wanted: Finding['status']): number => findings.filter(({ status }) => status === wanted).length;
  if (count('fail') > 0) return `${count('fail')} of ${findings.length} checks failed.`;
  return count('warn') > 0 ? `It works; ${count('warn')} of ${findings.length} checks could be better.` : 'All is well.';
}
