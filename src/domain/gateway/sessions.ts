import { createHash, randomBytes } from 'node:crypto';
import type { Caller } from '#core/endpoint';
import { secret, type Secret } from '#core/secret';
import type { CallDefaults, CallReceipt, CallScope } from '#llm/contract';

/** Whose run, budget and preferences the calls of one child process are. */
export interface GatewayScope extends CallScope {
  /** Hears what each call used and cost. */
  readonly onReceipt?: (receipt: CallReceipt) => void;
  /** The assistant's wishes; the model that the program asks for comes after them. */
  readonly defaults: readonly CallDefaults[];
}

export interface GatewaySession {
  /** The only key its holder has; good for nothing but the gateway, and for nothing at all once closed. */
  readonly token: Secret;
  /** Another turn of the same program: its calls are of another run from now on. */
  rebind(scope: GatewayScope): void;
  close(): void;
}

/** Virtual tokens of child processes. They live in memory, as the processes do. */
export interface GatewaySessions {
  open(scope: GatewayScope): GatewaySession;
  /** Who a token belongs to; null when it is none of ours. */
  callerOf(token: string): Caller | null;
  scopeOf(caller: Caller): GatewayScope | null;
}

const PREFIX = 'castellan-gw-';
const GRANTS: ReadonlySet<string> = new Set(['llm:call']);

export function createGatewaySessions(random: (size: number) => Buffer = randomBytes): GatewaySessions {
  const byHash = new Map<string, Caller>();
  const scopes = new Map<string, GatewayScope>();
  let count = 0;
  const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url');
  return {
    open(first) {
      const token = PREFIX + random(32).toString('base64url');
      const hash = hashOf(token);
      const caller: Caller = { id: `gateway:${(count += 1)}`, grants: GRANTS };
      byHash.set(hash, caller);
      scopes.set(caller.id, first);
      return {
        token: secret(token),
        rebind: (scope) => void (scopes.has(caller.id) && scopes.set(caller.id, scope)),
        close() {
          byHash.delete(hash);
          scopes.delete(caller.id);
        },
      };
    },
    callerOf: (token) => (token.startsWith(PREFIX) ? (byHash.get(hashOf(token)) ?? null) : null),
    scopeOf: ({ id }) => scopes.get(id) ?? null,
  };
}
