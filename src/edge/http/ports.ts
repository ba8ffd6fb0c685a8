import type { Bus } from '#core/bus';
import type { Clock } from '#core/clock';
import type { Caller, Route } from '#core/endpoint';
import type { Redact } from '#core/redact';
import type { RawRoute } from '#core/raw-route';
import type { Health } from '#core/service';
import type { FactorRequest } from '#owner';

/** Where the owner's side listens and under which names it may be called. */
export interface HttpConfig {
  readonly host: string;
  /** 0 takes a free one; `address()` tells which. */
  readonly port: number;
  /** PEM files. With them only https is spoken; with the last, only to who has a certificate of that authority. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly clientCaFile?: string };
  /** A socket in the file system that answers beside the port, for programs of the same account. */
  readonly socketPath?: string | undefined;
  /** Addresses or CIDR ranges whose `X-Forwarded-*` headers are believed. */
  readonly trustedProxies?: readonly string[];
  /** Host names that a `Host` header may carry besides `host` and the loopback names. */
  readonly hostNames?: readonly string[];
}

/** Who a credential belongs to; null when it is unknown, expired or revoked. The owner module answers. */
export interface Auth {
  session(cookie: string): Promise<{ readonly caller: Caller; readonly csrfToken: string } | null>;
  bearer(token: string): Promise<Caller | null>;
}

/** Judges whether a request for a sensitive act carries a fresh second factor; throws `owner.factor_needed` and the like. The owner module answers. */
export type VerifyFactor = (request: FactorRequest) => Promise<void>;

/** What the edge writes to the log: a constant message, the data in fields. */
export interface Log {
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Where refusals are recorded. */
export interface DenialRecord {
  record(entry: {
    actor: string;
    action: string;
    resource: string;
    decision: 'deny';
    details: Readonly<Record<string, unknown>>;
  }): Promise<void>;
}

/** One figure of the metrics page, read when it is asked for; `name` in Prometheus style, with its unit. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly { readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
}

export interface HttpDeps {
  readonly config: HttpConfig;
  readonly routes: readonly Route[];
  readonly rawRoutes?: readonly RawRoute[];
  readonly auth: Auth;
  readonly verifyFactor: VerifyFactor;
  /** Whether this caller may use the capability of a route: the policy's decision, and its reason. */
  readonly decide: (caller: Caller, capability: string) => { readonly effect: 'allow' | 'deny' | 'ask'; readonly reason: string };
  readonly health: () => Health;
  readonly ready: () => boolean | Promise<boolean>;
  readonly version: string;
  /** Folder of the built web interface; it need not exist. */
  readonly staticDir: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: DenialRecord;
  /** Of mutual TLS: who comes in with the certificate of this fingerprint; null keeps it out. Nobody comes in without. */
  readonly admits?: (fingerprint: string) => Promise<string | null>;
  readonly metrics?: () => readonly Metric[];
  /** Takes secrets out of the events that are told. */
  readonly redact?: Redact | undefined;
}
