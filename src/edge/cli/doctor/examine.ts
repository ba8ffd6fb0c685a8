import { readConfig, type Config } from '#core/config';
import { errorInfo } from '#core/errors';
import { runningAgent } from '#core/home';
import type { Cli } from '../context.ts';
import { fail, ok, type Check, type Finding } from './checks.ts';
import { checkDoors } from './doors.ts';
import { checkRunning, checkStore } from './inside.ts';
import { checkAgent, checkHome, checkProgram } from './place.ts';
import { checkSandbox } from './sandbox.ts';

const CHECKS: readonly Check[] = [checkProgram, checkHome, checkAgent, checkDoors, checkStore, checkSandbox, checkRunning];

/** Makes every check, one after the other; one that breaks hurts no other. */
export async function examine(io: Cli, { fix }: { readonly fix: boolean }): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  let config: Config | null = null;
  try {
    config = await readConfig(io.env, { home: io.home });
    findings.push(
      ok('configuration', `Listens on ${config.host}:${config.port}, public side on ${config.ingressHost}:${config.ingressPort}`),
    );
  } catch (error) {
    findings.push(fail('configuration', errorInfo(error).message, 'Correct the environment or castellan.json in the home'));
  }
  const pid = await runningAgent(io.home).catch(() => null);
  for (const check of CHECKS) {
    try {
      findings.push(...(await check({ io, config, pid, fix })));
    } catch (error) {
      const { code, message } = errorInfo(error);
      findings.push(fail(nameOf(check), message, code === 'internal' ? 'This is a bug of Castellan: please report it' : 'See the message'));
    }
  }
  return findings;
}

function nameOf(check: Check): string {
  return check.name.replace(/^check/, '').toLowerCase();
}
