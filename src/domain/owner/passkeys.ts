import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import type { Clock } from '#core/clock';
import type { Db, Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { NewId } from '#core/ids';
import { allPasskeys, deletePasskey, findPasskey, insertPasskey, renamePasskey, usePasskey, type PasskeyRow } from './queries-factors.ts';
import type { Random } from './token-hash.ts';

/** How long an authenticator may take; the challenge itself ends by itself. */
const TIMEOUT_MS = 2 * 60_000;

/** What a passkey must prove: `with_user` that it knew its owner (PIN, finger, face), so that it stands for a password too. */
export type PasskeyStrength = 'with_user' | 'present';

export interface PasskeyDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random?: Random;
  /** A counter went backwards: there are two of this authenticator. */
  readonly onRegress: (passkey: PasskeyRow) => Promise<void>;
}

/** What an authenticator said of a new passkey, checked. */
export type ReadPasskey = Omit<PasskeyRow, 'id' | 'name' | 'user_handle' | 'created_at'>;

/** Passkeys (WebAuthn level 3). `origin` is our own address as the browser called us; a passkey is bound to its host name. */
export interface Passkeys {
  list(): Promise<PasskeyRow[]>;
  /** Whether one of them can be used at this address. */
  isUsable(origin: string): Promise<boolean>;
  /** Whom authenticators keep our passkeys for: random, but the same for all of this agent. */
  userHandle(): Promise<string>;
  registration(origin: string, nonce: string, userHandle: string): Promise<PublicKeyCredentialCreationOptionsJSON>;
  /** Throws `owner.wrong_factor` for an answer that is not to `nonce`, or not from `origin`. */
  read(origin: string, nonce: string, response: RegistrationResponseJSON): Promise<ReadPasskey>;
  add(tx: Db, read: ReadPasskey, named: Pick<PasskeyRow, 'name' | 'user_handle'>): Promise<PasskeyRow>;
  request(origin: string, nonce: string, strength: PasskeyStrength): Promise<PublicKeyCredentialRequestOptionsJSON>;
  /** Throws `owner.wrong_factor`; moves the passkey's counter on. */
  verify(origin: string, nonce: string, response: AuthenticationResponseJSON, strength: PasskeyStrength): Promise<PasskeyRow>;
  /** Throws `owner.no_passkey`. */
  rename(tx: Db, id: string, name: string): Promise<PasskeyRow>;
  remove(tx: Db, id: string): Promise<PasskeyRow>;
}

export function createPasskeys({ store, clock, newId, random = randomBytes, onRegress }: PasskeyDeps): Passkeys {
  const usableAt = async (origin: string): Promise<PasskeyRow[]> => {
    const rpId = relyingParty(origin);
    return rpId === null ? [] : (await allPasskeys(store.db)).filter((row) => row.rp_id === rpId);
  };
  const listed = (rows: readonly PasskeyRow[]) =>
    rows.map((row) => ({ id: row.credential_id, transports: JSON.parse(row.transports) as string[] }));

  return {
    list: () => allPasskeys(store.db),
    isUsable: async (origin) => (await usableAt(origin)).length > 0,

    // not a constant: two agents of one host name would overwrite each other's passkeys
    userHandle: async () => (await allPasskeys(store.db))[0]?.user_handle ?? random(32).toString('base64url'),

    async registration(origin, nonce, userHandle) {
      const rpID = assertName(origin);
      const { generateRegistrationOptions } = await import('@simplewebauthn/server');
      return generateRegistrationOptions({
        rpName: 'Castellan',
        rpID,
        userName: 'owner',
        userDisplayName: `The owner at ${rpID}`,
        userID: new Uint8Array(Buffer.from(userHandle, 'base64url')),
        challenge: new Uint8Array(Buffer.from(nonce, 'base64url')),
        timeout: TIMEOUT_MS,
        attestationType: 'none',
        excludeCredentials: listed(await usableAt(origin)),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
      });
    },

    async read(origin, nonce, response) {
      const rpId = assertName(origin);
      const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
      const { registrationInfo: info } = await verifyRegistrationResponse({
        response,
        expectedChallenge: nonce,
        expectedOrigin: origin,
        expectedRPID: rpId,
        requireUserVerification: false,
      }).catch(refused);
      if (!info) throw wrong();
      const { credential, credentialBackedUp } = info;
      if (await findPasskey(store.db, credential.id))
        throw new AppError('conflict', 'owner.passkey_known', 'This passkey is enrolled already');
      return {
        credential_id: credential.id,
        public_key: Buffer.from(credential.publicKey),
        counter: credential.counter,
        transports: JSON.stringify(credential.transports ?? []),
        rp_id: rpId,
        backed_up: credentialBackedUp ? 1 : 0,
        last_used_at: null,
      };
    },

    async add(tx, read, named) {
      const row: PasskeyRow = { ...read, ...named, id: newId(), created_at: clock.now() };
      await insertPasskey(tx, row);
      return row;
    },

    async request(origin, nonce, strength) {
      const { generateAuthenticationOptions } = await import('@simplewebauthn/server');
      return generateAuthenticationOptions({
        rpID: assertName(origin),
        // a login names none: whoever knocks must not learn which there are
        allowCredentials: strength === 'with_user' ? [] : listed(await usableAt(origin)),
        challenge: new Uint8Array(Buffer.from(nonce, 'base64url')),
        timeout: TIMEOUT_MS,
        userVerification: strength === 'with_user' ? 'required' : 'preferred',
      });
    },

    async verify(origin, nonce, response, strength) {
      const rpId = assertName(origin);
      const row = typeof response.id === 'string' ? await findPasskey(store.db, response.id) : undefined;
      if (!row || row.rp_id !== rpId) throw wrong();
      const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
      const { verified, authenticationInfo: info } = await verifyAuthenticationResponse({
        response,
        expectedChallenge: nonce,
        expectedOrigin: origin,
        expectedRPID: rpId,
        // the counter is judged here, where a regress can be told of
        credential: { id: row.credential_id, publicKey: new Uint8Array(row.public_key), counter: 0 },
        requireUserVerification: strength === 'with_user',
      }).catch(refused);
      if (!verified) throw wrong();
      const counts = info.newCounter > 0 || row.counter > 0; // many passkeys count nothing and always say 0
      const isForward = !counts || info.newCounter > row.counter;
      if (!isForward || !(await store.write((tx) => usePasskey(tx, row.id, row.counter, info.newCounter, clock.now())))) {
        await onRegress(row);
        throw new AppError(
          'forbidden',
          'owner.passkey_cloned',
          `The passkey "${row.name}" counted backwards, as a copy of it would: remove it and enrol it anew`,
        );
      }
      return row;
    },

    async rename(tx, id, name) {
      return (await renamePasskey(tx, id, name)) ?? missing(id);
    },
    async remove(tx, id) {
      return (await deletePasskey(tx, id)) ?? missing(id);
    },
  };
}

/** The host name passkeys are bound to (RP ID), or null where there is none: authenticators take no bare IP address. */
export function relyingParty(origin: string): string | null {
  const { hostname } = new URL(origin);
  return isIP(hostname.replace(/^\[|\]$/g, '')) === 0 ? hostname : null;
}

function assertName(origin: string): string {
  const name = relyingParty(origin);
  if (name !== null) return name;
  throw new AppError(
    'conflict',
    'owner.passkey_needs_name',
    'Passkeys are bound to a name, and this address has none: open http://localhost (with the same port) or the name of this machine',
  );
}

const wrong = (cause?: unknown): AppError =>
  new AppError('forbidden', 'owner.wrong_factor', 'The passkey did not prove who you are', {}, cause);

/** What the library throws says which check failed; it goes to the log of whoever looks at causes, not to the client. */
function refused(cause: unknown): never {
  throw wrong(cause);
}

function missing(id: string): never {
  throw new AppError('not_found', 'owner.no_passkey', 'No such passkey: it may have been removed already', { id });
}
