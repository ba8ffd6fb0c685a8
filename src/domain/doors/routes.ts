import { route, type Route } from '#core/endpoint';
import type { Certificates } from './certificates.ts';
import { getDoors, issueCertificate, listCertificates, renewServerCertificate, revokeCertificate, type Doors } from './contract.ts';

export interface DoorRoutesDeps {
  readonly certificates: Certificates;
  /** What only the running program knows of itself. */
  readonly describe: () => Promise<Doors>;
}

/** Certificates, and the state of the doors. */
export function certificateRoutes({ certificates, describe }: DoorRoutesDeps): readonly Route[] {
  return [
    route(getDoors, describe),
    route(listCertificates, async () => ({ items: await certificates.list(), next: null, authority: await certificates.authority() })),
    route(issueCertificate, (wanted, { caller }) => certificates.issueClient(wanted, caller.id)),
    route(revokeCertificate, ({ serial }, { caller }) => certificates.revoke(serial, caller.id)),
    route(renewServerCertificate, ({ names }, { caller }) => certificates.issueServer(names, caller.id)),
  ];
}
