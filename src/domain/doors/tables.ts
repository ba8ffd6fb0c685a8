import type { Migration } from '#core/db/migration';

declare module '#core/db/store' {
  interface Tables {
    /** What was issued, and `given` ones of the owner's that something is known of. `pem` is the certificate; keys are never in the database. */
    doors_certificate: {
      serial: string;
      kind: 'authority' | 'server' | 'client' | 'given';
      name: string;
      fingerprint: string;
      pem: string;
      issued_at: number;
      not_before: number;
      not_after: number;
      revoked_at: number | null;
      /** The owner was told that it ends soon. */
      told_at: number | null;
    };
  }
}

export const doorMigrations: readonly Migration[] = [
  {
    name: 'doors-001-certificates',
    ddl: [
      `create table doors_certificate (
        serial text primary key, kind text not null check (kind in ('authority', 'server', 'client', 'given')), name text not null,
        fingerprint text not null unique, pem text not null, issued_at integer not null, not_before integer not null,
        not_after integer not null, revoked_at integer, told_at integer) strict`,
    ],
  },
];
