import { readFile } from 'node:fs/promises';
import type { Clock } from '#core/clock';
import type { Store } from '#core/db/store';
import type { Service } from '#core/service';
import { rowOf, SOON_MS, type Certificates } from './certificates.ts';
import { allCertificates, insertCertificate, markTold, type CertificateRow } from './queries.ts';
import { factsOf } from './x509.ts';

const EVERY_MS = 12 * 3_600_000;

export interface UpkeepDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly certificates: Pick<Certificates, 'ensureServer'>;
  readonly tell: (severity: 'warning' | 'critical', title: string, body: string) => void;
  readonly onError: (error: unknown) => void;
  /** The names of the server where its certificate is made here; then it is renewed in time. */
  readonly names: readonly string[] | null;
  /** The owner's own certificate file, which only the owner can renew. */
  readonly givenFile: string | null;
}

/** Looks at the certificates twice a day: renews what it can, and says once of each other one that it ends soon. */
export function certificateUpkeep(deps: UpkeepDeps): Service {
  return {
    name: 'certificates',
    async start({ signal }) {
      if (deps.names) await deps.certificates.ensureServer(deps.names); // before the server asks for it
      const loop = (async () => {
        while (!signal.aborted) {
          await lookAfter(deps).catch(deps.onError);
          await deps.clock.sleep(EVERY_MS, signal).catch(() => {});
        }
      })();
      return { stop: () => loop };
    },
  };
}

/** One look. */
export async function lookAfter({ store, clock, certificates, tell, names, givenFile }: UpkeepDeps): Promise<void> {
  const now = clock.now();
  if (names) await certificates.ensureServer(names);
  if (givenFile) {
    const pem = await readFile(givenFile, 'utf8');
    await store.write((tx) => insertCertificate(tx, rowOf(factsOf(pem), 'given', pem, now)));
  }
  const rows = await allCertificates(store.db);
  const ending = rows.filter((row) => isWorthTelling(row, rows, now) && row.told_at === null && row.not_after <= now + SOON_MS);
  if (ending.length === 0) return;
  await store.write((tx) =>
    markTold(
      tx,
      ending.map(({ serial }) => serial),
      now,
    ),
  );
  const isUrgent = ending.some(({ kind }) => kind === 'given' || kind === 'authority');
  const title = ending.length === 1 ? 'A certificate ends soon' : `${ending.length} certificates end soon`;
  tell(isUrgent ? 'critical' : 'warning', title, ending.map(sentence).join('\n'));
}

/** Not those that are revoked or were followed by another, nor the server's, which renews itself. */
function isWorthTelling({ kind, name, revoked_at, issued_at, pem }: CertificateRow, all: readonly CertificateRow[], now: number): boolean {
  if (kind === 'server' || revoked_at !== null || pem === '') return false;
  return !all.some((other) => other.kind === kind && other.name === name && other.issued_at > issued_at && other.not_after > now);
}

function sentence({ kind, name, not_after }: CertificateRow): string {
  const day = new Date(not_after).toISOString().slice(0, 10);
  if (kind === 'client')
    return `“${name}” comes in with a certificate that ends on ${day}. Make it a new one: castellan certs client "${name}"`;
  if (kind === 'authority')
    return `The authority of all certificates made here ends on ${day}. A new one takes its place: install it in your browsers (castellan certs authority) and make new client certificates.`;
  return `The certificate of the owner’s side (${name}) ends on ${day}. Renew it and put the new files in the place of the old ones: they are taken up by themselves.`;
}
