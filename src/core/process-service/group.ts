import type { ChildProcess } from 'node:child_process';

/** SIGTERM, then after `graceMs` SIGKILL, to the process and all it started; resolves when it is gone. */
export async function endGroup(child: ChildProcess, gone: Promise<unknown>, graceMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return void (await gone);
  signalGroup(child, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
  await gone;
  clearTimeout(timer);
}

/** To the process and all it started; where there are no groups (Windows), to the process. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // They are gone already.
  }
}
