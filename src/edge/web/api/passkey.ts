import type { PublicKeyCredentialRequestOptionsJSON } from '@simplewebauthn/browser';
import type { FactorNeed } from '#core/client';

/** Asks the authenticator for a proof of this one request, in the form its header takes. Throws when there is none or the owner declines. */
export async function passkeyProof({ passkey, challenge }: FactorNeed): Promise<string> {
  const { startAuthentication } = await import('@simplewebauthn/browser');
  const response = await startAuthentication({ optionsJSON: passkey as PublicKeyCredentialRequestOptionsJSON });
  return JSON.stringify({ challenge, response });
}
