import { existsSync } from 'node:fs';
import { access, chmod, constants, readdir, readFile, rm, stat, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { readAgentFacts, wayTo } from '../context.ts';
import { megabytes } from '../words.ts';
import { fail, fixed, ok, warn, type Check, type Finding } from './checks.ts';

const LITTLE_SPACE_BYTES = 1e9;
const NO_SPACE_BYTES = 1e8;

/** The program itself: its runtime and the build of the web interface. */
export const checkProgram: Check = async () => {
  const [major = 0] = process.versions.node.split('.').map(Number);
  const runtime =
    major >= 26
      ? ok('node', `Node ${process.versions.node}`)
      : fail('node', `Node ${process.versions.node} is too old`, 'Run "npm ci": it brings Node 26; start with ./bin/castellan');
  const page = new URL('../../../../dist/web/index.html', import.meta.url);
  const web = existsSync(page)
    ? ok('web', 'The web interface is built')
    : warn('web', 'The web interface is not built', 'Run "npm run build"');
  return [runtime, web];
};

/** The home: there, ours, closed to others, writable, with room on its disk. */
export const checkHome: Check = async ({ io, fix }) => {
  const { home } = io;
  const there = await stat(home).catch(() => null);
  if (!there) return [warn('home', `${home} does not exist yet`, '"castellan start" makes it')];
  if (!there.isDirectory()) return [fail('home', `${home} is not a folder`, 'Choose another one with --home')];
  const me = process.getuid?.();
  if (me !== undefined && there.uid !== me)
    return [fail('home', `${home} belongs to the user with id ${there.uid}, and you are ${me}`, 'Run Castellan as that user')];
  const isWritable = await access(home, constants.W_OK).then(
    () => true,
    () => false,
  );
  const { bavail, bsize } = await statfs(home);
  const free = bavail * bsize;
  const space = `${megabytes(free)} free on its disk`;
  return [
    isWritable ? ok('home', home) : fail('home', `${home} cannot be written`, `Run "chmod u+w ${home}"`),
    ...(await openToOthers(home, fix)),
    free < NO_SPACE_BYTES
      ? fail('disk', space, 'Make room: nothing can be written soon')
      : free < LITTLE_SPACE_BYTES
        ? warn('disk', space, 'Make room')
        : ok('disk', space),
  ];
};

/** Secrets and messages are in there. */
async function openToOthers(home: string, fix: boolean): Promise<Finding[]> {
  if (process.platform === 'win32') return [];
  const findings: Finding[] = [];
  for (const name of ['', 'master.key', 'castellan.db', join('run', 'cli.token'), 'logs', 'backups']) {
    const path = join(home, name);
    const entry = await stat(path).catch(() => null);
    if (!entry || (entry.mode & 0o077) === 0 || (name === 'castellan.db' && (await isClosed(home)))) continue;
    const mode = entry.isDirectory() ? 0o700 : 0o600;
    if (fix) await chmod(path, mode);
    const says = `Others on this machine can look into ${path}`;
    findings.push(
      fix
        ? fixed('permissions', `Closed ${path} to others`)
        : fail('permissions', says, `Run "castellan doctor --fix", or "chmod ${mode.toString(8)} ${path}"`),
    );
  }
  return findings.length > 0 ? findings : [ok('permissions', 'Nobody else can look into the home')];
}

/** What lies in a closed folder is closed, whatever its own mode. */
async function isClosed(home: string): Promise<boolean> {
  return ((await stat(home)).mode & 0o077) === 0;
}

/** Whether an agent runs, answers, and left nothing behind. */
export const checkAgent: Check = async ({ io, pid, fix, config }) => {
  const facts = await readAgentFacts(io.home);
  const findings: Finding[] = [];
  if (pid === null) {
    findings.push(ok('agent', 'No agent runs here: "castellan start" starts it'));
    findings.push(...(await leftBehind(io.home, fix)));
    if (config)
      findings.push(
        ...(await Promise.all([
          portFree('port', config.host, config.port),
          portFree('ingress-port', config.ingressHost, config.ingressPort),
        ])),
      );
  } else if (!facts) {
    findings.push(warn('agent', `Process ${pid} has the home, but does not serve yet`, 'Wait a moment; then look into its log'));
  } else {
    const { fetch, base } = await wayTo(facts);
    const health = await fetch(`${base}/health`, { signal: AbortSignal.timeout(5_000) }).then(
      (it) => it.json() as Promise<{ status: string; version: string }>,
      () => null,
    );
    if (!health)
      findings.push(fail('agent', `Process ${pid} does not answer at ${facts.url}`, `Stop it with "kill ${pid}" and start it again`));
    else if (health.version !== io.version)
      findings.push(warn('agent', `It runs at ${facts.url} in version ${health.version}, and this is ${io.version}`, 'Start it again'));
    else findings.push(ok('agent', `It runs at ${facts.url}, as process ${pid}`));
  }
  findings.push(await lastCrash(io.home));
  return findings;
};

/** With no process alive, these only mislead. */
async function leftBehind(home: string, fix: boolean): Promise<Finding[]> {
  const names = await readdir(join(home, 'run')).catch(() => []);
  const stale = names
    .filter((name) => name === 'agent.json' || name === 'holder.json' || /^cli\.token\.\d+\./.test(name) || name.endsWith('.new'))
    .map((name) => join(home, 'run', name));
  const unfinished = (await readdir(home).catch(() => []))
    .filter((name) => /^\.(backup|restore)-/.test(name))
    .map((name) => join(home, name));
  const all = [...stale, ...unfinished];
  if (all.length === 0) return [];
  if (fix) for (const path of all) await rm(path, { recursive: true, force: true });
  return [
    fix
      ? fixed('stale-files', `Removed what a dead process left: ${all.join(', ')}`)
      : warn('stale-files', `A dead process left ${all.join(', ')}`, 'Run "castellan doctor --fix"; the next start does not mind'),
  ];
}

async function lastCrash(home: string): Promise<Finding> {
  const path = join(home, 'logs', 'last-crash.log');
  const [text, at] = await Promise.all([readFile(path, 'utf8').catch(() => ''), stat(path).catch(() => null)]);
  if (!at) return ok('crashes', 'It never crashed');
  const day = 86_400_000;
  const first = text.split('\n')[0] ?? '';
  return Date.now() - at.mtimeMs < day
    ? warn('crashes', first, `Read ${path}; remove it when it is dealt with`)
    : ok('crashes', `The last one is long ago: ${first}`);
}

function portFree(check: string, host: string, port: number): Promise<Finding> {
  if (port === 0) return Promise.resolve(ok(check, 'Any free port'));
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      const option = check === 'port' ? '--port' : '--ingress-port';
      const says = code === 'EADDRINUSE' ? `Another program has ${host}:${port}` : `${host}:${port} cannot be listened on: ${code}`;
      resolve(fail(check, says, `End that program, or choose another with "castellan start ${option} N"`));
    });
    server.listen(port, host, () => server.close(() => resolve(ok(check, `${host}:${port} is free`))));
  });
}
