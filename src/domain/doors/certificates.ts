import { randomBytes } from 'node:crypto';
import type { Audit } from '#audit';
import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { Certificate, IssuedCertificate, NewClientCertificate } from './contract.ts';
import { createKeyFiles } from './key-files.ts';
import { makeBundle } from './pkcs12.ts';
import { allCertificates, findCertificate, insertCertificate, markRevoked, type CertificateRow } from './queries.ts';
import { factsOf, makeCertificate, type KeyPair } from './x509.ts';

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3_650;
/** What browsers take from an authority of one's own is at most 825 days; a year and a month is renewed in time by itself. */
const SERVER_DAYS = 397;
/** So long before its end a certificate is renewed, or the owner told. */
export const SOON_MS = 30 * DAY_MS;
/** The last day of the year 9999, as certificates without an end say (RFC 5280, section 4.1.2.5). */
const LATEST_MS = Date.UTC(9999, 11, 31);
/** Without letters that look alike. */
const PASSWORD_LETTERS = 'abcdefghijkmnpqrstuvwxyz23456789';

export interface CertificatesDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly bus: Bus;
  readonly audit: Audit;
  /** `tlsFolder(home)`. */
  readonly folder: string;
  /** Names this program to who looks at the authority. */
  readonly node: string;
  readonly random?: (bytes: number) => Buffer;
}

/** Certificates of the program's own making, and who may still come in with one. */
export interface Certificates {
  list(): Promise<Certificate[]>;
  /** PEM; null before there is one. */
  authority(): Promise<string | null>;
  /** A new server certificate in the home; with the names of the last one when none are given. Throws `doors.no_names`. */
  issueServer(names: readonly string[] | undefined, actor: string): Promise<Certificate>;
  /** Sees that the home has a server certificate for these names that does not end soon. */
  ensureServer(names: readonly string[]): Promise<void>;
  /** Its key is in the answer and nowhere else. */
  issueClient(wanted: NewClientCertificate, actor: string): Promise<IssuedCertificate>;
  /** By serial number, or by the fingerprint of any certificate, made here or not. Throws `doors.no_certificate`, `doors.revoked_before`. */
  revoke(id: string, actor: string): Promise<Certificate>;
  /** Whether there is a client certificate that is good now. */
  hasClients(): Promise<boolean>;
  /** Who comes in with the certificate of this fingerprint; null for one that is revoked or, where only our own count, unknown. */
  admits(fingerprint: string, isOwnAuthority: boolean): Promise<string | null>;
}

export function createCertificates({ store, clock, bus, audit, folder, node, random = randomBytes }: CertificatesDeps): Certificates {
  const files = createKeyFiles(folder);
  let last: Promise<unknown> = Promise.resolve();

  /** One after the other: two at once would make two authorities. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = last.then(work);
    last = next.catch(() => {});
    return next;
  }

  async function authorityPair(actor: string): Promise<KeyPair> {
    const there = await files.read('ca');
    if (there && factsOf(there.pem).notAfter > clock.now() + SOON_MS) return there;
    const made = await makeCertificate({ kind: 'authority', name: `Castellan ${node}`, now: clock.now(), days: AUTHORITY_DAYS });
    await files.write('ca', made);
    await keep(made.pem, 'authority', actor);
    return made;
  }

  async function keep(pem: string, kind: 'authority' | 'server' | 'client', actor: string): Promise<Certificate> {
    const facts = factsOf(pem);
    const row = rowOf(facts, kind, pem, clock.now());
    await store.write(async (tx) => {
      await insertCertificate(tx, row);
      const details = { kind, name: facts.name, names: [...facts.names], notAfter: iso(facts.notAfter) };
      await audit.record({ actor, action: 'certificate.issue', resource: `certificate:${facts.serial}`, details }, tx);
    });
    bus.publish('certificate.issued', { serial: facts.serial, kind });
    return described(row, new Set());
  }

  async function list(): Promise<Certificate[]> {
    const rows = await allCertificates(store.db);
    const replaced = new Set(
      rows
        .filter(({ kind }) => kind === 'server')
        .map(({ serial }) => serial)
        .slice(1),
    );
    return rows.map((row) => described(row, replaced));
  }

  async function issueServer(names: readonly string[] | undefined, actor: string): Promise<Certificate> {
    const before = await files.read('server');
    const wanted = names ?? (before ? factsOf(before.pem).names : []);
    if (wanted.length === 0)
      throw new AppError('invalid', 'doors.no_names', 'names: say what the server is called by, such as castle.lan or 192.168.1.20');
    const authority = await authorityPair(actor);
    const made = await makeCertificate(
      { kind: 'server', name: wanted[0]!.slice(0, 64), names: wanted, now: clock.now(), days: SERVER_DAYS },
      authority,
    );
    await files.write('server', { ...made, pem: made.pem + authority.pem });
    return keep(made.pem, 'server', actor);
  }

  function described(row: CertificateRow, replaced: ReadonlySet<string>): Certificate {
    const { serial, kind, name, fingerprint, pem, issued_at, not_before, not_after, revoked_at } = row;
    const now = clock.now();
    const state =
      revoked_at !== null
        ? 'revoked'
        : replaced.has(serial)
          ? 'replaced'
          : not_after <= now
            ? 'expired'
            : not_after <= now + SOON_MS
              ? 'expiring'
              : 'good';
    return {
      serial,
      kind,
      name,
      names: pem === '' ? [] : [...factsOf(pem).names],
      fingerprint,
      issuedAt: iso(issued_at),
      notBefore: iso(not_before),
      notAfter: iso(not_after),
      revokedAt: revoked_at === null ? null : iso(revoked_at),
      state,
    };
  }

  return {
    list,
    authority: async () => (await files.read('ca'))?.pem ?? null,
    issueServer: (names, actor) => inTurn(() => issueServer(names, actor)),

    ensureServer: (names) =>
      inTurn(async () => {
        const there = await files.read('server');
        const facts = there && factsOf(there.pem);
        const isGood = facts && facts.notAfter > clock.now() + SOON_MS && names.every((name) => facts.names.includes(name));
        if (!isGood) await issueServer([...new Set([...names, ...(facts?.names ?? [])])].slice(0, 50), 'system');
      }),

    issueClient: ({ name, days = 397, password }, actor) =>
      inTurn(async () => {
        const authority = await authorityPair(actor);
        const made = await makeCertificate({ kind: 'client', name, now: clock.now(), days }, authority);
        const phrase = password ?? Array.from(random(24), (byte) => PASSWORD_LETTERS[byte % PASSWORD_LETTERS.length]).join('');
        const p12 = await makeBundle(made, authority.pem, { name: `Castellan: ${name}`, password: phrase });
        const certificate = await keep(made.pem, 'client', actor);
        return { certificate, p12: p12.toString('base64'), password: phrase, pem: made.pem, key: made.key };
      }),

    async revoke(id, actor) {
      const given = /^(?:[0-9a-f]{2}:?){32}$/i.test(id) ? id.replaceAll(':', '').toUpperCase().match(/../g)!.join(':') : id.toLowerCase();
      const now = clock.now();
      const row = await store.write(async (tx) => {
        const found = (await findCertificate(tx, given)) ?? (given.includes(':') ? await keepForeign(tx, given, now) : undefined);
        if (!found || found.kind === 'authority' || found.kind === 'server')
          throw new AppError(
            'not_found',
            'doors.no_certificate',
            `There is no client certificate ${id.slice(0, 100)}: see "castellan certs list"`,
            { id },
          );
        if (!(await markRevoked(tx, found.serial, now)))
          throw new AppError('conflict', 'doors.revoked_before', `The certificate of ${found.name} is revoked already`, { id });
        await audit.record(
          { actor, action: 'certificate.revoke', resource: `certificate:${found.serial}`, details: { name: found.name } },
          tx,
        );
        return { ...found, revoked_at: now };
      });
      bus.publish('certificate.revoked', { serial: row.serial, fingerprint: row.fingerprint });
      return described(row, new Set());
    },

    hasClients: async () => (await list()).some(({ kind, state }) => kind === 'client' && (state === 'good' || state === 'expiring')),

    async admits(fingerprint, isOwnAuthority) {
      const row = await findCertificate(store.db, fingerprint);
      if (!row) return isOwnAuthority ? null : '';
      return row.revoked_at === null && row.kind !== 'authority' ? row.name : null;
    },
  };
}

/** A certificate of another authority is known by its fingerprint alone. */
async function keepForeign(tx: Db, fingerprint: string, at: number): Promise<CertificateRow> {
  const row: CertificateRow = {
    serial: fingerprint.replaceAll(':', '').toLowerCase(),
    kind: 'given',
    name: fingerprint.slice(0, 23),
    fingerprint,
    pem: '',
    issued_at: at,
    not_before: at,
    not_after: LATEST_MS,
    revoked_at: null,
    told_at: null,
  };
  await insertCertificate(tx, row);
  return row;
}

/** A row of what a certificate says of itself. */
export function rowOf(facts: ReturnType<typeof factsOf>, kind: CertificateRow['kind'], pem: string, at: number): CertificateRow {
  const { serial, name, fingerprint, notBefore, notAfter } = facts;
  return {
    serial,
    kind,
    name,
    fingerprint,
    pem,
    issued_at: at,
    not_before: notBefore,
    not_after: notAfter,
    revoked_at: null,
    told_at: null,
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
