import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { Server, SecureContextOptions, TlsOptions } from 'node:tls';
import type { Clock } from '#core/clock';
import { AppError, toError } from '#core/errors';
import { factsOf, type CertificateFacts } from '#doors';
import type { HttpConfig, Log } from './ports.ts';

type Files = NonNullable<HttpConfig['tls']>;

const LOOK_EVERY_MS = 30_000;
/** A client that does not finish its handshake is let go. */
const HANDSHAKE_MS = 10_000;

/** What never changes while it listens. Session tickets carry the client's certificate, so a resumed session is judged like a new one. */
export function tlsListenerOptions({ clientCaFile }: Files): TlsOptions {
  return {
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: HANDSHAKE_MS,
    ...(clientCaFile && { requestCert: true, rejectUnauthorized: true }),
  };
}

/** A certificate that is ready to use. */
export interface LoadedTls {
  readonly context: SecureContextOptions;
  readonly facts: CertificateFacts;
  /** Of the files it was read from. */
  readonly footprint: string;
}

/** Reads and checks the files; throws `http.no_tls_file` or `http.bad_tls`, which name the file. */
export async function loadTls(files: Files): Promise<LoadedTls> {
  const { certFile, keyFile, clientCaFile } = files;
  const footprint = await footprintOf(files); // before they are read: what changes meanwhile is seen by the next look
  const [cert, key, ca] = await Promise.all([readPem(certFile), readPem(keyFile), clientCaFile ? readPem(clientCaFile) : undefined]);
  const leaf = parsed(certFile, 'a certificate', () => new X509Certificate(cert));
  const privateKey = parsed(keyFile, 'a private key without a passphrase', () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(privateKey)) throw badTls(keyFile, `is not the key of the certificate in ${certFile}`);
  if (ca && clientCaFile) parsed(clientCaFile, 'a certificate', () => new X509Certificate(ca));
  const facts = factsOf(cert.toString());
  return { context: { cert, key, minVersion: 'TLSv1.2', ...(ca && { ca }) }, facts, footprint };
}

/** The certificate in use, and why a newer one is not. */
export interface TlsState {
  readonly facts: CertificateFacts;
  readonly problem: string | null;
}

/** Takes up new certificates without a restart; what does not work is left where it is, and said once. */
export interface TlsKeeper {
  state(): TlsState;
  /** Looks at the files now. */
  look(): Promise<void>;
}

export interface TlsKeeperDeps {
  readonly server: Pick<Server, 'setSecureContext'>;
  readonly files: Files;
  readonly loaded: LoadedTls;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  readonly signal: AbortSignal;
}

export function keepTls({ server, files, loaded, clock, log, signal }: TlsKeeperDeps): TlsKeeper {
  let state: TlsState = { facts: loaded.facts, problem: null };
  let seen = loaded.footprint;
  let last: Promise<void> = Promise.resolve();

  async function look(): Promise<void> {
    if ((await footprintOf(files)) === seen) return;
    try {
      const { context, facts, footprint } = await loadTls(files);
      server.setSecureContext(context);
      if (facts.fingerprint !== state.facts.fingerprint)
        log.warn('A new certificate is in use', { names: facts.names, notAfter: new Date(facts.notAfter) });
      state = { facts, problem: null };
      seen = footprint;
    } catch (error) {
      const { message } = toError(error);
      if (message !== state.problem) log.warn('The new certificate is not in use', { problem: message });
      state = { ...state, problem: message };
    }
  }

  void (async () => {
    while (!signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {});
      if (!signal.aborted) await (last = last.then(look));
    }
  })();

  return { state: () => state, look: () => (last = last.then(look)) };
}

/** Changes with every way to replace a file, a symbolic link's target too. */
async function footprintOf({ certFile, keyFile, clientCaFile }: Files): Promise<string> {
  const marks = [certFile, keyFile, ...(clientCaFile ? [clientCaFile] : [])].map((file) =>
    stat(file).then(
      ({ ino, mtimeMs, size }) => `${ino} ${mtimeMs} ${size}`,
      () => 'gone',
    ),
  );
  return (await Promise.all(marks)).join();
}

async function readPem(file: string): Promise<Buffer> {
  return readFile(file).catch((cause: NodeJS.ErrnoException) => {
    throw new AppError(
      'invalid',
      'http.no_tls_file',
      `${file} cannot be read (${cause.code}): name a PEM file that this user may read`,
      { file },
      cause,
    );
  });
}

function parsed<T>(file: string, what: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw badTls(file, `does not hold ${what} in PEM`, cause);
  }
}

function badTls(file: string, problem: string, cause?: unknown): AppError {
  return new AppError('invalid', 'http.bad_tls', `${file} ${problem}`, { file }, cause);
}
