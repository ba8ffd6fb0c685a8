import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';

/** What a test makes an authenticator say: the truth where nothing is given. */
export interface Lies {
  readonly origin?: string;
  readonly rpId?: string;
  readonly userVerified?: boolean;
  readonly userPresent?: boolean;
  readonly counter?: number;
  readonly challenge?: string;
}

/** An authenticator in software (WebAuthn level 3, section 6): one ES256 key, a counter, no attestation. */
export interface FakeAuthenticator {
  create(options: { challenge: string; rp: { id?: string } }, origin: string, lies?: Lies): RegistrationResponseJSON;
  get(options: { challenge: string; rpId?: string }, origin: string, lies?: Lies): AuthenticationResponseJSON;
}

const FLAGS = { present: 0x01, verified: 0x04, attested: 0x40 };

export function fakeAuthenticator(): FakeAuthenticator {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const id = randomBytes(16);
  let counter = 0;

  const clientData = (type: string, challenge: string, origin: string): Buffer =>
    Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));

  function authData(rpId: string, lies: Lies, attested?: Buffer): Buffer {
    const { userVerified = true, userPresent = true } = lies;
    counter = lies.counter ?? counter + 1;
    const flags = (userPresent ? FLAGS.present : 0) | (userVerified ? FLAGS.verified : 0) | (attested ? FLAGS.attested : 0);
    const head = Buffer.alloc(5);
    head.writeUInt8(flags, 0);
    head.writeUInt32BE(counter, 1);
    return Buffer.concat([sha256(rpId), head, attested ?? Buffer.alloc(0)]);
  }

  return {
    create({ challenge, rp }, origin, lies = {}) {
      const attested = Buffer.concat([Buffer.alloc(16), Buffer.from([0, id.length]), id, coseKey(publicKey)]);
      const data = authData(lies.rpId ?? rp.id!, lies, attested);
      const attestationObject = cbor(
        new Map<string, unknown>([
          ['fmt', 'none'],
          ['attStmt', new Map()],
          ['authData', data],
        ]),
      );
      return {
        id: b64(id),
        rawId: b64(id),
        type: 'public-key',
        response: {
          clientDataJSON: b64(clientData('webauthn.create', lies.challenge ?? challenge, lies.origin ?? origin)),
          attestationObject: b64(attestationObject),
          transports: ['internal'],
        },
        clientExtensionResults: {},
      };
    },

    get({ challenge, rpId }, origin, lies = {}) {
      const client = clientData('webauthn.get', lies.challenge ?? challenge, lies.origin ?? origin);
      const data = authData(lies.rpId ?? rpId!, lies);
      const signature = sign('sha256', Buffer.concat([data, sha256(client)]), privateKey);
      return {
        id: b64(id),
        rawId: b64(id),
        type: 'public-key',
        response: { clientDataJSON: b64(client), authenticatorData: b64(data), signature: b64(signature) },
        clientExtensionResults: {},
      };
    },
  };
}

const b64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url');
const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest();

/** An EC2 key of P-256 for ES256 (RFC 9053). */
function coseKey(key: KeyObject): Buffer {
  const { x, y } = key.export({ format: 'jwk' });
  return cbor(
    new Map<number, unknown>([
      [1, 2],
      [3, -7],
      [-1, 1],
      [-2, Buffer.from(x!, 'base64url')],
      [-3, Buffer.from(y!, 'base64url')],
    ]),
  );
}

/** As much of CBOR (RFC 8949) as an authenticator speaks. */
function cbor(value: unknown): Buffer {
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  const map = value as Map<unknown, unknown>;
  return Buffer.concat([head(5, map.size), ...Array.from(map, ([key, each]) => Buffer.concat([cbor(key), cbor(each)]))]);
}

function head(major: number, count: number): Buffer {
  const type = major << 5;
  if (count < 24) return Buffer.from([type | count]);
  return count < 256 ? Buffer.from([type | 24, count]) : Buffer.from([type | 25, count >> 8, count & 255]);
}
