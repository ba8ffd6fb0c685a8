import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '#core/client';
import { AppError } from '#core/errors';
import type { Cli } from './context.ts';

/** The launcher starts a crashed agent again within this time, and its work goes on where it was. */
const LONGEST_RESTART_MS = 45_000;

/** Asks the agent; when it does not answer, waits for it to come back, on whatever port. Only for what may be asked twice. */
export async function patiently<T>(io: Cli, ask: (client: Client) => Promise<T>): Promise<T> {
  let goneSince: number | null = null;
  for (;;) {
    try {
      return await ask(await io.client());
    } catch (error) {
      if (!(error instanceof AppError) || !isAway(error)) throw error;
      goneSince ??= performance.now();
      if (performance.now() - goneSince > LONGEST_RESTART_MS) throw error;
      await sleep(250);
    }
  }
}

/** The agent is not there, or is just starting or stopping. */
export function isAway({ code }: AppError): boolean {
  return code === 'agent.not_running' || code === 'agent.unreachable' || code === 'http.not_ready' || code === 'http.503';
}
