import { Secret as Base32, TOTP } from 'otpauth';
import { fakeAudit } from '#audit/testing';
import { manualClock, type ManualClock } from '#core/clock';
import type { TestStore } from '#core/db/testing';
import type { Caller } from '#core/endpoint';
import type { Secret } from '#core/secret';
import type { FactorRequest } from './factor-request.ts';
import type { Owner } from './owner.ts';
import { memorySecrets, testOwner } from './testing.ts';

export const START = 1_700_000_010_000; // the first moment of a time step of thirty seconds
export const STEP = 30_000;
export const PASSWORD = 'seven wet horses';
export const HOME = { address: '127.0.0.1', userAgent: 'test', at: 'http://localhost:4848' };

/** An owner with a password, and what a test needs to come in and to be asked for factors. */
export interface Bed extends AsyncDisposable {
  readonly owner: Owner;
  readonly clock: ManualClock;
  readonly store: TestStore;
  readonly audit: ReturnType<typeof fakeAudit>;
  readonly told: string[];
  /** The token of a session that came by the link. */
  readonly session: string;
  /** The same after a restart: nothing but the store and the vault is left. */
  restarted(): Owner;
}

export async function bed(store: TestStore): Promise<Bed> {
  const clock = manualClock(START);
  const [audit, secrets, told] = [fakeAudit(), memorySecrets(), [] as string[]];
  const restarted = (): Owner => testOwner({ store, clock, audit, secrets, tell: (_severity, title) => void told.push(title) });
  const owner = restarted();
  const { url } = await owner.createLoginLink('http://localhost:4848');
  const { token } = await owner.login.withLink(open(url).split('#login=')[1]!, HOME);
  const session = open(token);
  await owner.setPassword(session, PASSWORD, undefined, HOME);
  return { owner, clock, store, audit, told, session, restarted, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

export const open = (it: Secret | null): string => it!.use((text) => text);

/** An authenticator app that was told a secret. */
export function app(secret: string, clock: ManualClock): (steps?: number) => string {
  return (steps = 0) => TOTP.generate({ secret: Base32.fromBase32(secret), timestamp: clock.now() + steps * STEP });
}

/** Enrols an app and moves on to the next time step, so that its code of now is fresh. */
export async function enrol({ owner, clock }: Bed): Promise<{ code: (steps?: number) => string; recoveryCodes: string[] }> {
  const { secret } = await owner.factors.beginTotp('owner at test', 'owner');
  const code = app(secret, clock);
  const { recoveryCodes } = await owner.factors.confirmTotp(code(), 'owner');
  clock.set(clock.now() + STEP);
  return { code, recoveryCodes: recoveryCodes ?? [] };
}

const OWNER: Caller = { id: 'owner', grants: new Set(['*']) };

/** A request for a sensitive act, of this session. */
export function act(session: string | undefined, given?: string, more: Partial<FactorRequest> & { at?: string } = {}): FactorRequest {
  const { at = HOME.at, ...rest } = more;
  return {
    caller: OWNER,
    connection: {
      address: HOME.address,
      userAgent: HOME.userAgent,
      origin: at,
      ...(session !== undefined && { sessionToken: session }),
      setSession: () => {},
      clearSession: () => {},
    },
    act: 'POST /api/things abc',
    whenEnrolled: false,
    ...(given !== undefined && { given }),
    ...rest,
  };
}
