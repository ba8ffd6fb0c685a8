import { readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { assertBindAllowed, readConfig } from '#core/config';
import { AppError, toError } from '#core/errors';
import { lockHome, prepareHome } from '#core/home';
import { createLogging } from '#core/log';
import { refuseWeakSecrets } from '#vault';
import { programFolder } from './app/own-files.ts';
import { socketOf } from './app/own-socket.ts';
import { createApp } from './app.ts';
import { dieWithParent, tellReady } from './launcher.ts';

const FLAGS = { home: { type: 'string' }, host: { type: 'string' }, port: { type: 'string' }, 'ingress-port': { type: 'string' } } as const;
const version = (JSON.parse(readFileSync(join(programFolder, 'package.json'), 'utf8')) as { version: string }).version;

/** Runs the agent until it is stopped or gives up; throws what kept it from starting. Leaves the exit code in `process.exitCode`. */
export async function runAgent(): Promise<void> {
  const { 'ingress-port': ingressPort, ...flags } = readFlags();
  const config = await readConfig(process.env, { ...flags, ingressPort });
  await refuseWeakSecrets(config);
  await prepareHome(config.home);
  await using _lock = await lockHome(config.home);
  const logging = createLogging({
    level: config.logLevel,
    stream: process.stderr,
    pretty: config.logFormat === 'pretty' || (config.logFormat === 'auto' && process.stderr.isTTY),
    file: join(config.home, 'logs', 'castellan.log'),
  });
  const { log } = logging;
  const app = await createApp({ config, logging, version });
  await app.unlock();
  assertBindAllowed(config, { hasPassword: await app.hasPassword(), hasClients: await app.hasClients() });

  const ended = Promise.withResolvers<Error | null>();
  const life = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => ended.resolve(null));
  dieWithParent(() => ended.resolve(null));
  const running = await app.root.start({ signal: life.signal, exit: (cause) => ended.resolve(cause ?? new Error('The root ended')) });
  app.running = running;
  const isFirst = await app.firstStart.isDue();
  const seeding = app.firstStart
    .seed()
    .catch((error: unknown) => log.error('The first start could not be finished', { error: toError(error) }));
  if (isFirst) await seeding; // who is told that it is ready finds the briefing there
  await announce(config.home, { url: app.http.address()!.url, socket: socketOf(config) }, app.http.browserUrl()!, await app.loginUrl());
  tellReady();

  const cause = await ended.promise;
  log.info(cause ? 'Gave up' : 'Stopping', cause ? { error: cause } : {});
  await seeding; // a few writes: not to be cut off half way by an orderly stop
  await running.stop();
  await rm(join(config.home, 'run', 'agent.json'), { force: true });
  await logging.close();
  process.exitCode = cause ? 70 : 0;
}

function readFlags() {
  try {
    return parseArgs({ options: FLAGS, strict: true }).values;
  } catch (cause) {
    throw new AppError(
      'invalid',
      'config.bad_flag',
      `${(cause as Error).message}. Known are --home, --host, --port and --ingress-port.`,
      {},
      cause,
    );
  }
}

/** Tells the command line where to find us, and a person where to look. */
async function announce(
  home: string,
  way: { url: string; socket: string | undefined },
  shown: string,
  loginUrl: string | null,
): Promise<void> {
  const path = join(home, 'run', 'agent.json');
  await writeFile(`${path}.new`, JSON.stringify({ ...way, pid: process.pid, version }), { mode: 0o600 });
  await rename(`${path}.new`, path);
  process.stdout.write(`Castellan ${version} is ready at ${shown}\n`);
  if (loginUrl) process.stdout.write(`Open this link once, within 15 minutes, to come in and set your password:\n  ${loginUrl}\n`);
}
