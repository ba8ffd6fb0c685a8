import { createBus } from '#core/bus';
import { systemClock } from '#core/clock';
import { readConfig, tlsFolder } from '#core/config';
import { auditMigrations, createAudit } from '#audit';
import { createCertificates, doorMigrations, serverNames } from '#doors';
import {
  issueCertificate,
  listCertificates,
  renewServerCertificate,
  revokeCertificate,
  type Certificate,
  type IssuedCertificate,
  type NewClientCertificate,
} from '#doors/contract';
import type { Cli } from './context.ts';
import { withStore } from './offline.ts';

/** What can be done with certificates, by the running agent or on the home itself: whoever may write that is the owner. */
export interface CertificateDesk {
  list(): Promise<{ readonly items: readonly Certificate[]; readonly authority: string | null }>;
  renewServer(names: readonly string[] | undefined): Promise<Certificate>;
  issueClient(wanted: NewClientCertificate): Promise<IssuedCertificate>;
  revoke(serial: string): Promise<Certificate>;
}

/** Opens the desk for as long as `use` takes. */
export async function withCertificates<T>(io: Cli, use: (desk: CertificateDesk) => Promise<T>): Promise<T> {
  const client = await io.clientIfRunning();
  if (client)
    return use({
      list: () => client.call(listCertificates, {}),
      renewServer: (names) => client.call(renewServerCertificate, names ? { names: [...names] } : {}),
      issueClient: (wanted) => client.call(issueCertificate, wanted),
      revoke: (serial) => client.call(revokeCertificate, { serial }),
    });
  const config = await readConfig(io.env, { home: io.home });
  return withStore(
    io,
    [...auditMigrations, ...doorMigrations],
    (store) => {
      const audit = createAudit({ store, clock: systemClock, redact: (text) => text });
      const bus = createBus(() => {});
      const it = createCertificates({ store, clock: systemClock, bus, audit, folder: tlsFolder(io.home), node: config.node });
      return use({
        list: async () => ({ items: await it.list(), authority: await it.authority() }),
        renewServer: async (names) => it.issueServer(names ?? ((await it.authority()) ? undefined : serverNames(config)), 'cli'),
        issueClient: (wanted) => it.issueClient(wanted, 'cli'),
        revoke: (serial) => it.revoke(serial, 'cli'),
      });
    },
    { create: true },
  );
}
