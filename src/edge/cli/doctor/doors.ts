import { readFile, stat } from 'node:fs/promises';
import { assertBindAllowed, isLoopback, type Config } from '#core/config';
import { errorInfo } from '#core/errors';
import { factsOf } from '#doors';
import { getDoors, listCertificates, type Doors } from '#doors/contract';
import { refuseWeakSecrets } from '#vault';
import type { Cli } from '../context.ts';
import { fail, ok, warn, type Check, type Finding } from './checks.ts';
import { beyondLoopback, listenersOf } from './listeners.ts';

const DAY_MS = 86_400_000;
const SOON_DAYS = 14;

/** Who can reach the program, and how they are kept out: secrets, addresses, certificates, open ports. */
export const checkDoors: Check = async ({ io, config, pid }) => {
  if (!config) return [];
  const doors = pid === null ? null : await askRunning(io);
  return [
    await secretsFinding(config),
    bindFinding(config),
    ...(config.tls ? await certificateFindings(config.tls, doors) : []),
    ...(pid === null ? [] : await portFindings(pid, doors)),
    ...(doors ? await clientFindings(io) : []),
  ];
};

async function askRunning(io: Cli): Promise<Doors | null> {
  const client = await io.clientIfRunning().catch(() => null);
  return client ? client.call(getDoors, {}, { signal: AbortSignal.timeout(10_000) }).catch(() => null) : null;
}

async function secretsFinding(config: Config): Promise<Finding> {
  try {
    await refuseWeakSecrets(config);
    return ok('secrets', 'None that were given is weak or used twice');
  } catch (error) {
    return fail('secrets', errorInfo(error).message, 'The agent does not start with it');
  }
}

function bindFinding(config: Config): Finding {
  try {
    assertBindAllowed(config, { hasPassword: true });
  } catch (error) {
    return fail('doors', errorInfo(error).message, 'The agent does not start like this');
  }
  const { host, port, ingressHost, ingressPort, tls, trustedProxies } = config;
  const how = tls
    ? `TLS${tls.clientCaFile ? ', and a certificate for each browser' : ''}`
    : trustedProxies.length > 0
      ? 'a trusted proxy'
      : 'plain HTTP';
  const owner = `The owner's side is for ${isLoopback(host) ? 'this machine' : 'the network'} (${host}:${port}, ${how})`;
  return ok(
    'doors',
    `${owner}; the public side for ${isLoopback(ingressHost) ? 'this machine' : 'the network'} (${ingressHost}:${ingressPort})`,
  );
}

async function certificateFindings({ certFile, keyFile, isMade }: NonNullable<Config['tls']>, doors: Doors | null): Promise<Finding[]> {
  const pem = await readFile(certFile, 'utf8').catch(() => null);
  if (pem === null)
    return isMade && !doors
      ? [ok('certificate', 'It is made by the next start')]
      : [fail('certificate', `${certFile} cannot be read`, 'Put the certificate there, or correct CASTELLAN_TLS_CERT')];
  const { names, notAfter } = factsOf(pem);
  const days = Math.floor((notAfter - Date.now()) / DAY_MS);
  const says = `For ${names.join(', ')}, until ${new Date(notAfter).toISOString().slice(0, 10)}`;
  const mend = isMade ? 'castellan certs renew' : 'Renew it and put the new files in the place of the old ones';
  const key = await stat(keyFile).catch(() => null);
  const problem = doors?.owner.certificate?.problem ?? null;
  return [
    days < 0
      ? fail('certificate', `${says}: it has ended`, mend)
      : days < SOON_DAYS
        ? warn('certificate', says, mend)
        : ok('certificate', says),
    ...(problem === null
      ? []
      : [fail('certificate', `The files on disk are not in use: ${problem}`, 'Correct the files: they are looked at again by themselves')]),
    ...(key && process.platform !== 'win32' && (key.mode & 0o077) !== 0
      ? [warn('certificate', `Others on this machine may read its key ${keyFile}`, `Run "chmod 600 ${keyFile}"`)]
      : []),
  ];
}

/** Sockets, not promises: what the kernel says the process listens on, against what it says of itself. */
async function portFindings(pid: number, doors: Doors | null): Promise<Finding[]> {
  const listening = await listenersOf(pid);
  if (!listening) return [];
  const open = beyondLoopback(listening);
  const meant = doors ? [doors.owner, doors.ingress].filter(({ reach }) => reach === 'network').length : 0;
  const shown = open.map(({ address, port }) => `${address}:${port}`).join(', ');
  if (open.length === 0) return [ok('open-ports', 'None that another machine could reach')];
  return open.length <= meant
    ? [ok('open-ports', `${shown}, as configured`)]
    : [
        fail(
          'open-ports',
          `${shown}: more than was configured`,
          'Stop the agent and look at what it started: something opened a port of its own',
        ),
      ];
}

async function clientFindings(io: Cli): Promise<Finding[]> {
  const client = await io.clientIfRunning();
  const { items } = await client!.call(listCertificates, {}, { signal: AbortSignal.timeout(10_000) });
  return items
    .filter(({ kind, state }) => kind === 'client' && state === 'expiring')
    .map(({ name, notAfter }) =>
      warn('certificate', `That of ${name} ends on ${notAfter.slice(0, 10)}`, `castellan certs client "${name}"`),
    );
}
