import { randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type * as Library from '@peculiar/x509';

const DAY_MS = 86_400_000;
/** A clock that is a little behind must not find it too young. */
const EARLIER_MS = 3_600_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A certificate with its key, both PEM. */
export interface KeyPair {
  readonly pem: string;
  readonly key: string;
}

export interface Wanted {
  readonly kind: 'authority' | 'server' | 'client';
  readonly name: string;
  /** Of a server: DNS names and addresses. */
  readonly names?: readonly string[];
  readonly now: number;
  readonly days: number;
}

/** What can be read in a certificate. */
export interface CertificateFacts {
  readonly serial: string;
  readonly fingerprint: string;
  readonly name: string;
  readonly issuer: string;
  /** Subject alternative names, DNS and IP. */
  readonly names: readonly string[];
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Makes a certificate and a key for it; signed by `authority`, or by itself. */
export async function makeCertificate({ kind, name, names = [], now, days }: Wanted, authority?: KeyPair): Promise<KeyPair> {
  const x509 = await library();
  const { subtle } = webcrypto;
  const keys = await subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const issuer = authority && new x509.X509Certificate(authority.pem);
  const signingKey = authority ? await subtle.importKey('pkcs8', derOf(authority.key), ALGORITHM, false, ['sign']) : keys.privateKey;
  // as it is: a plain text would be read for quotes and escapes
  const subject = new x509.Name([{ CN: [{ utf8String: name }] }]);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject,
    issuer: issuer?.subjectName ?? subject,
    notBefore: new Date(now - EARLIER_MS),
    // no longer than its authority: a chain ends with its first link
    notAfter: new Date(Math.min(now + days * DAY_MS, issuer?.notAfter.getTime() ?? Infinity)),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(kind === 'authority', kind === 'authority' ? 0 : undefined, true),
      new x509.KeyUsagesExtension(
        kind === 'authority' ? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign : x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      ...(kind === 'authority' ? [] : [new x509.ExtendedKeyUsageExtension([kind === 'server' ? SERVER : CLIENT], false)]),
      ...(names.length === 0
        ? []
        : [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value })))]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer ? issuer.publicKey : keys.publicKey),
    ],
  });
  return { pem: `${certificate.toString('pem')}\n`, key: pemOf('PRIVATE KEY', await subtle.exportKey('pkcs8', keys.privateKey)) };
}

const SERVER = '1.3.6.1.5.5.7.3.1';
const CLIENT = '1.3.6.1.5.5.7.3.2';

/** Reads the first certificate of a PEM text; throws Node's own error where there is none. */
export function factsOf(pem: string): CertificateFacts {
  const it = new X509Certificate(pem);
  const { subject, issuer } = it.toLegacyObject();
  const first = (value: string | readonly string[] | undefined): string => (typeof value === 'string' ? value : (value?.[0] ?? ''));
  const names = (it.subjectAltName ?? '')
    .split(', ')
    .flatMap((each) => /^(?:DNS|IP Address):(.+)$/.exec(each)?.[1] ?? [])
    .map((each) => (each.includes(':') ? compact(each) : each));
  return {
    serial: it.serialNumber.toLowerCase(),
    fingerprint: it.fingerprint256,
    name: first(subject?.CN) || (names[0] ?? ''),
    issuer: first(issuer?.CN) || first(issuer?.O),
    names,
    notBefore: it.validFromDate.getTime(),
    notAfter: it.validToDate.getTime(),
  };
}

/** `0:0:0:0:0:0:0:1` as people write it. */
function compact(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

/** The bytes inside a PEM text. */
export function derOf(pem: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64'));
}

function pemOf(label: string, der: ArrayBuffer): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** 126 random bits, positive and without a zero at its head (RFC 5280, section 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes.toString('hex');
}

async function library(): Promise<typeof Library> {
  await import('reflect-metadata'); // the library finds its decorators by it
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as never);
  return x509;
}
