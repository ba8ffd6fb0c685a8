import type { z } from 'zod';
import type { FactorNeed } from '#core/client';
import type { AuthenticatorAnswer, AuthenticatorOffer } from '#owner/contract';

/** Asks the authenticator to sign; throws when there is none, or the owner declines. `options` come from the agent. */
export async function signWithPasskey(options: unknown): Promise<z.infer<typeof AuthenticatorAnswer>> {
  const { startAuthentication } = await import('@simplewebauthn/browser');
  return (await startAuthentication({ optionsJSON: options as never })) as z.infer<typeof AuthenticatorAnswer>;
}

/** Asks the authenticator to make a passkey. */
export async function makePasskey(options: unknown): Promise<z.infer<typeof AuthenticatorOffer>> {
  const { startRegistration } = await import('@simplewebauthn/browser');
  return (await startRegistration({ optionsJSON: options as never })) as z.infer<typeof AuthenticatorOffer>;
}

/** A proof of one refused request, in the form its header takes. */
export async function passkeyProof({ passkey, challenge }: FactorNeed): Promise<string> {
  return JSON.stringify({ challenge, response: await signWithPasskey(passkey) });
}
