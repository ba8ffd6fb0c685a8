// The process of the agent. Exit codes: 0 stopped, 70 gave up (start again), 75 home in use, 78 bad configuration (do not start again).
import { join } from 'node:path';
import { startFast } from './fast-start.ts';

process.stdout.on('error', () => {}); // who read it may be gone: no reason to end
process.umask(0o077); // what the agent writes is the owner's alone
startFast(join(import.meta.dirname, '..'));
process.on('unhandledRejection', (reason) => {
  throw reason;
}); // a promise nobody awaited belongs to no service

const [{ runAgent }, { bootExitCode }, { AppError, toError }] = await Promise.all([
  import('./agent.ts'),
  import('#core/config'),
  import('#core/errors'),
]);
try {
  await runAgent();
} catch (error) {
  process.stderr.write(error instanceof AppError ? `castellan: ${error.message}\n` : `${toError(error).stack}\n`);
  process.exitCode = bootExitCode(error);
}
process.exit();
