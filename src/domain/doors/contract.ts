import { z } from 'zod';
import { endpoint } from '#core/endpoint';

/** A certificate that this program made. Times are ISO 8601, UTC. */
export const Certificate = z.object({
  /** Hexadecimal; what names it. */
  serial: z.string(),
  /** `given`: made elsewhere; in use here, or barred. */
  kind: z.enum(['authority', 'server', 'client', 'given']),
  /** Of a client: the browser or program it is for; of the server: the first of its names. */
  name: z.string(),
  /** What the server may be called by. */
  names: z.array(z.string()),
  /** SHA-256, as openssl and browsers show it. */
  fingerprint: z.string(),
  issuedAt: z.string(),
  notBefore: z.string(),
  notAfter: z.string(),
  revokedAt: z.string().nullable(),
  state: z.enum(['good', 'expiring', 'expired', 'revoked', 'replaced']),
});
export type Certificate = z.infer<typeof Certificate>;

/** A DNS name or an address, as a certificate names it. */
export function isServerName(name: string): boolean {
  return (
    /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(name) ||
    (name.includes(':') && /^[0-9a-f:.]+$/.test(name))
  );
}

const Name = z
  .string()
  .trim()
  .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._'-]{0,62}$/u, 'use letters, digits, spaces, dots and dashes, at most 63');
const Days = z.int().min(1).max(825);

export const NewClientCertificate = z.strictObject({
  name: Name.describe('The browser or program it is for'),
  days: Days.default(397),
  /** Of the PKCS#12 bundle; made up when left out. */
  password: z.string().min(10).max(100).optional(),
});
export type NewClientCertificate = z.input<typeof NewClientCertificate>;

/** A client's certificate with its key: shown once, kept nowhere. */
export const IssuedCertificate = z.object({
  certificate: Certificate,
  /** For a browser: the bundle, in base64, and its password. */
  p12: z.string(),
  password: z.string(),
  /** For a program: PEM. */
  pem: z.string(),
  key: z.string(),
});
export type IssuedCertificate = z.infer<typeof IssuedCertificate>;

export const listCertificates = endpoint({
  method: 'GET',
  path: '/api/certificates',
  grant: 'certificates:read',
  summary: 'Certificates that this program made, newest first, with the authority to install in a browser.',
  input: z.strictObject({}),
  output: z.object({
    items: z.array(Certificate),
    next: z.null(),
    /** PEM; null before there is one. */
    authority: z.string().nullable(),
  }),
});
export const issueCertificate = endpoint({
  method: 'POST',
  path: '/api/certificates',
  grant: 'certificates:write',
  summary: 'Makes a client certificate; its key is in the answer and nowhere else.',
  input: NewClientCertificate,
  output: IssuedCertificate,
  status: 201,
  secondFactor: 'when_enrolled',
});
export const revokeCertificate = endpoint({
  method: 'POST',
  path: '/api/certificates/{serial}/revoke',
  grant: 'certificates:write',
  summary: 'Ends a certificate at once, by its serial number; connections made with it are cut.',
  input: z.strictObject({ serial: z.string().max(128) }),
  output: Certificate,
});
export const renewServerCertificate = endpoint({
  method: 'POST',
  path: '/api/certificates/renew',
  grant: 'certificates:write',
  summary: 'Makes a new server certificate, for these names or those it has; it is in use at once.',
  input: z.strictObject({
    names: z.array(z.string().trim().toLowerCase().refine(isServerName, 'not a host name or an address')).min(1).max(50).optional(),
  }),
  output: Certificate,
});

/** One side of the program on the network. */
const Side = z.object({
  url: z.string().nullable(),
  /** `network`: other machines can reach it. */
  reach: z.enum(['machine', 'network']),
});

/** The ways into the program, as they are now. */
export const Doors = z.object({
  owner: Side.extend({
    /** `made`: a certificate of its own making; `given`: the owner's; `proxy`: a trusted proxy ends it. */
    tls: z.enum(['off', 'made', 'given', 'proxy']),
    /** Whether a client certificate is asked for. */
    mutual: z.boolean(),
    names: z.array(z.string()),
    trustedProxies: z.array(z.string()),
    /** The certificate in use. */
    certificate: z
      .object({
        names: z.array(z.string()),
        issuer: z.string(),
        fingerprint: z.string(),
        notAfter: z.string(),
        daysLeft: z.int(),
        /** Why the files on disk are not in use. */
        problem: z.string().nullable(),
      })
      .nullable(),
  }),
  ingress: Side.extend({ publicUrl: z.string().nullable() }),
  /** How the program behaves as a guest on other people's sites. */
  crawling: z.object({
    userAgent: z.string(),
    robots: z.boolean(),
    delayS: z.number(),
    resting: z.array(z.object({ host: z.string(), until: z.string(), waiting: z.int() })),
    refusals: z.array(z.object({ url: z.string(), at: z.string() })),
  }),
});
export type Doors = z.infer<typeof Doors>;

export const getDoors = endpoint({
  method: 'GET',
  path: '/api/doors',
  grant: 'doors:read',
  summary: 'Where it listens, how it is secured, and how it behaves on the web.',
  input: z.strictObject({}),
  output: Doors,
});

declare module '#core/bus' {
  interface Events {
    /** A client's certificate is good no more. `fingerprint` as in `Certificate`. */
    'certificate.revoked': { readonly serial: string; readonly fingerprint: string };
    /** There is one more; a server's is to be put into use. */
    'certificate.issued': { readonly serial: string; readonly kind: Certificate['kind'] };
  }
}
