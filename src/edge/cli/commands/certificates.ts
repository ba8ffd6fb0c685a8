import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { AppError } from '#core/errors';
import { check } from '#core/json';
import { NewClientCertificate, renewServerCertificate, type Certificate, type IssuedCertificate } from '#doors/contract';
import { whole } from '../arguments.ts';
import type { CertificateDesk } from '../certificates.ts';
import type { Cli } from '../context.ts';
import { plain, table } from '../words.ts';

/** `certs`: TLS for the owner's side, with an authority of the owner's own. With an agent running or without. */
export function certificateCommands(program: Command, cli: () => Cli): void {
  const group = program.command('certs').description("certificates of the owner's side, and of the browsers that may come in");
  const many = (value: string, before: readonly string[] = []): readonly string[] => [...before, value.toLowerCase()];
  group
    .command('init')
    .description('make an authority and a server certificate; start with CASTELLAN_TLS=on to use them')
    .option('--name <name>', 'a name or address the server is called by; may be given several times', many)
    .action(async ({ name }: { name?: readonly string[] }) => {
      const io = cli();
      const made = await desk(io, (it) => it.renewServer(namesOf(name)));
      io.print(made, () => [`Made a server certificate for ${made.names.join(', ')}; it ends on ${day(made)}.`, ...NEXT].join('\n'));
    });
  group
    .command('client <name>')
    .description('make a client certificate for a browser or program: NAME.p12 to import, NAME.pem and NAME.key for programs')
    .option('--days <n>', 'how long it is good', whole(1, 825))
    .option('--out <dir>', 'where to write the files', '.')
    .option('--password', 'read the password of the .p12 from standard input; one is made up when left out')
    .action((name: string, options: ClientOptions) => issueClient(cli(), name, options));
  group
    .command('list')
    .description('all certificates that were made, newest first')
    .action(async () => {
      const io = cli();
      const { items } = await desk(io, (it) => it.list());
      io.print(items, () =>
        table(
          ['SERIAL', 'KIND', 'NAME', 'STATE', 'ENDS'],
          items.map((it) => [it.serial, it.kind, it.name, it.state, day(it)]),
        ),
      );
    });
  group
    .command('renew [client]')
    .description(
      'make a new server certificate, which is in use at once; or a new one for a client, beside which the old one holds until it ends',
    )
    .option('--name <name>', 'a name or address the server is called by, instead of those it has; may be given several times', many)
    .option('--days <n>', 'how long that of a client is good', whole(1, 825))
    .option('--out <dir>', 'where to write the files of a client', '.')
    .option('--password', 'read the password of the .p12 from standard input; one is made up when left out')
    .action(async (client: string | undefined, { name, ...options }: ClientOptions & { name?: readonly string[] }) => {
      const io = cli();
      if (client !== undefined) return issueClient(io, client, options);
      const made = await desk(io, (it) => it.renewServer(namesOf(name)));
      io.print(made, () => `The new one ends on ${day(made)}.`);
    });
  group
    .command('revoke <certificate>')
    .description('end a client certificate at once: by its name, serial number or fingerprint')
    .action(async (id: string) => {
      const io = cli();
      const ended = await desk(io, async (it) => it.revoke(await serialOf(id, it)));
      io.print(ended, () => `${plain(ended.name)} comes in no more.`);
    });
  group
    .command('authority')
    .description('print the authority (PEM), to be trusted by your browsers')
    .action(async () => {
      const io = cli();
      const { authority } = await desk(io, (it) => it.list());
      if (!authority) throw new AppError('not_found', 'cli.no_authority', 'There is no authority yet: castellan certs init makes it');
      io.print({ authority }, () => authority);
    });
}

const NEXT = [
  'To use it: start with CASTELLAN_TLS=on ("tls": true in castellan.json).',
  'To have browsers trust it: castellan certs authority > castellan-ca.crt, and import that file as an authority.',
];

function namesOf(names: readonly string[] | undefined): readonly string[] | undefined {
  return check({ ...(names && { names }) }, renewServerCertificate.input, '--name').names;
}

async function desk<T>(io: Cli, use: (desk: CertificateDesk) => Promise<T>): Promise<T> {
  const { withCertificates } = await import('../certificates.ts');
  return withCertificates(io, use);
}

interface ClientOptions {
  readonly days?: number;
  readonly out: string;
  readonly password?: boolean;
}

async function issueClient(io: Cli, name: string, { days, out, password }: ClientOptions): Promise<void> {
  const given = password ? (await io.input()).replace(/\r?\n$/, '') : undefined;
  const wanted = check(
    { name, ...(days && { days }), ...(given !== undefined && { password: given }) },
    NewClientCertificate,
    'Certificate',
  );
  const files = await freeFiles(wanted.name, resolve(out)); // before: a key that cannot be written is lost
  const made = await desk(io, (it) => it.issueClient(wanted));
  await writeFiles(made, files);
  io.print({ certificate: made.certificate, files, ...(given === undefined && { password: made.password }) }, () =>
    [
      `Import ${files.p12} into your browser${given === undefined ? `, with the password  ${made.password}` : ''}; then remove the file.`,
      `For programs: ${files.pem} and ${files.key}. It ends on ${day(made.certificate)}.`,
    ].join('\n'),
  );
}

interface ClientFiles {
  readonly p12: string;
  readonly pem: string;
  readonly key: string;
}

/** Where the files of a client go; none of them is there yet. */
async function freeFiles(name: string, folder: string): Promise<ClientFiles> {
  const base = join(folder, name.replaceAll(/[^\p{L}\p{N}._-]+/gu, '-'));
  const files = { p12: `${base}.p12`, pem: `${base}.pem`, key: `${base}.key` };
  await mkdir(folder, { recursive: true });
  const taken = Object.values(files).find((path) => existsSync(path));
  if (taken)
    throw new AppError('conflict', 'cli.file_exists', `${taken} is there already: choose another folder with --out`, { path: taken });
  return files;
}

/** For the owner alone. */
async function writeFiles({ p12, pem, key }: IssuedCertificate, files: ClientFiles): Promise<void> {
  const options = { mode: 0o600, flag: 'wx' };
  await writeFile(files.key, key, options);
  await writeFile(files.pem, pem, options);
  await writeFile(files.p12, Buffer.from(p12, 'base64'), options);
}

/** A name may be that of several, the old one and the new. */
async function serialOf(id: string, { list }: CertificateDesk): Promise<string> {
  const good = (await list()).items.filter(({ kind, name, revokedAt }) => kind === 'client' && revokedAt === null && name === id);
  if (good.length <= 1) return good[0]?.serial ?? id;
  const choice = good.map((it) => `${it.serial} (ends ${day(it)})`).join(', ');
  throw new AppError(
    'conflict',
    'cli.several_certificates',
    `There are ${good.length} certificates of ${id}: give the serial number, one of ${choice}`,
  );
}

function day({ notAfter }: Pick<Certificate, 'notAfter'>): string {
  return notAfter.slice(0, 10);
}
