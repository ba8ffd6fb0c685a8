import { webcrypto } from 'node:crypto';
import { derOf, type KeyPair } from './x509.ts';

/** AES-256 and SHA-256 (RFC 8018): what today's browsers and openssl 3 read without old algorithms. */
const ITERATIONS = 100_000;
const ENCRYPTION = {
  contentEncryptionAlgorithm: { name: 'AES-CBC', length: 256 },
  hmacHashAlgorithm: 'SHA-256',
  iterationCount: ITERATIONS,
};

const KEY_BAG = '1.2.840.113549.1.12.10.1.2';
const CERTIFICATE_BAG = '1.2.840.113549.1.12.10.1.3';
/** 1.2.840.113549.1.9.20 and .21: what a browser shows, and what ties the key to its certificate. */
const FRIENDLY_NAME = Buffer.from('2a864886f70d010914', 'hex');
const LOCAL_KEY_ID = Buffer.from('2a864886f70d010915', 'hex');
const [OBJECT_ID, SEQUENCE, SET, BMP_STRING, OCTET_STRING] = [0x06, 0x30, 0x31, 0x1e, 0x04];

/** A PKCS#12 bundle of a certificate, its key and the authority above it, for a browser to import (RFC 7292). */
export async function makeBundle(
  client: KeyPair,
  authorityPem: string,
  { name, password }: { name: string; password: string },
): Promise<Buffer> {
  const pkijs = await import('pkijs');
  pkijs.setEngine('node', new pkijs.CryptoEngine({ name: 'node', crypto: webcrypto as never }) as never);
  const secret = new TextEncoder().encode(password).buffer;
  const keyId = await webcrypto.subtle.digest('SHA-1', derOf(client.pem));
  const attributes = () => [
    pkijs.Attribute.fromBER(attribute(FRIENDLY_NAME, BMP_STRING, Buffer.from(name, 'utf16le').swap16())),
    pkijs.Attribute.fromBER(attribute(LOCAL_KEY_ID, OCTET_STRING, Buffer.from(keyId))),
  ];
  const keyBag = new pkijs.PKCS8ShroudedKeyBag({ parsedValue: pkijs.PrivateKeyInfo.fromBER(derOf(client.key)) });
  await keyBag.makeInternalValues({ password: secret, ...ENCRYPTION });
  const certificateBag = (pem: string) => new pkijs.CertBag({ parsedValue: pkijs.Certificate.fromBER(derOf(pem)) });
  const authenticatedSafe = new pkijs.AuthenticatedSafe({
    parsedValue: {
      safeContents: [
        {
          privacyMode: 0,
          value: new pkijs.SafeContents({
            safeBags: [new pkijs.SafeBag({ bagId: KEY_BAG, bagValue: keyBag, bagAttributes: attributes() })],
          }),
        },
        {
          privacyMode: 1,
          value: new pkijs.SafeContents({
            safeBags: [
              new pkijs.SafeBag({ bagId: CERTIFICATE_BAG, bagValue: certificateBag(client.pem), bagAttributes: attributes() }),
              new pkijs.SafeBag({ bagId: CERTIFICATE_BAG, bagValue: certificateBag(authorityPem) }),
            ],
          }),
        },
      ],
    },
  });
  await authenticatedSafe.makeInternalValues({ safeContents: [{}, { password: secret, ...ENCRYPTION }] });
  const bundle = new pkijs.PFX({ parsedValue: { integrityMode: 0, authenticatedSafe } });
  await bundle.makeInternalValues({
    password: secret,
    iterations: ITERATIONS,
    pbkdf2HashAlgorithm: { name: 'SHA-256' },
    hmacHashAlgorithm: 'SHA-256',
  });
  return Buffer.from(bundle.toSchema().toBER());
}

function attribute(type: Buffer, tag: number, value: Buffer): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(der(SEQUENCE, Buffer.concat([der(OBJECT_ID, type), der(SET, der(tag, value))])));
}

/** One value in DER; all of ours are shorter than 256 bytes. */
function der(tag: number, content: Buffer): Buffer {
  const length = content.length < 128 ? [content.length] : [0x81, content.length];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
