import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { canonicalPattern, nameMatcher, resourceMatcher } from './patterns.ts';

/** What a token is made of at first: who acts, for which step, and the most that may be done with it. */
export interface TokenRoot {
  /** Outermost first, with the one who gets the token last. */
  readonly chain: readonly string[];
  readonly run: string;
  readonly step: string;
  /** Patterns: `net:fetch`, `memory:*`. */
  readonly capabilities: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** One way to make a token narrower; every one that was ever added holds. */
export interface Caveat {
  /** Who gets it now: added to the chain. */
  readonly to?: string;
  readonly capabilities?: readonly string[];
  /** Patterns of resources (`patterns.ts`). */
  readonly resources?: readonly string[];
  readonly expiresAt?: number;
  /** At most so many names in the chain. */
  readonly maxDepth?: number;
}

/** What a token that holds says. */
export interface TokenClaims {
  readonly chain: readonly string[];
  readonly run: string;
  readonly step: string;
  permits(capability: string, resource: string): boolean;
}

export type TokenProblem = 'malformed' | 'forged' | 'expired' | 'too_deep';

/**
 * Tokens that carry what their holder may do, in the manner of macaroons: each caveat is signed with the signature before it, so whoever
 * holds one can make it narrower without asking and can take nothing off. Checked without a look-up, with the key alone.
 *
 *     ct1.<root>.<caveat>…<caveat>.<signature>      s₀ = HMAC(key, root), sₙ = HMAC(sₙ₋₁, caveatₙ)
 */
export interface CapabilityTokens {
  mint(root: TokenRoot): Promise<string>;
  /** Needs no key. Throws a plain error for what is no token. */
  attenuate(token: string, caveat: Caveat): string;
  verify(token: string): Promise<TokenClaims | TokenProblem>;
}

export interface CapabilityTokensDeps {
  /** At least 32 bytes; asked once, when first needed. */
  readonly key: () => Promise<Uint8Array>;
  readonly now: () => number;
}

const VERSION = 'ct1';
const LONGEST = 16_384;
const MOST_CAVEATS = 32;
const DEEPEST = 16;

const Text = z.string().min(1).max(2_000);
const Texts = z.array(Text).max(200);
const Root = z.strictObject({ chain: Texts.min(1), run: Text, step: Text, capabilities: Texts, expiresAt: z.number() });
const CaveatShape = z.strictObject({
  to: Text.optional(),
  capabilities: Texts.optional(),
  resources: Texts.optional(),
  expiresAt: z.number().optional(),
  maxDepth: z.int().min(1).optional(),
});

export function createCapabilityTokens({ key, now }: CapabilityTokensDeps): CapabilityTokens {
  let known: Promise<Uint8Array> | null = null;

  return {
    async mint(root) {
      const part = encode(Root.parse(root));
      return [VERSION, part, sign(await (known ??= key()), part).toString('base64url')].join('.');
    },

    attenuate(token, caveat) {
      const parts = split(token);
      if (!parts) throw new Error('That is no capability token');
      const { resources, ...rest } = CaveatShape.parse(caveat);
      const part = encode({ ...rest, ...(resources && { resources: resources.map(canonical) }) });
      const signature = sign(Buffer.from(parts.signature, 'base64url'), part);
      return [VERSION, ...parts.signed, part, signature.toString('base64url')].join('.');
    },

    async verify(token) {
      const parts = split(token);
      if (!parts) return 'malformed';
      let signature = await (known ??= key());
      for (const part of parts.signed) signature = sign(signature, part);
      const expected = Buffer.from(Buffer.from(signature).toString('base64url'));
      const given = Buffer.from(parts.signature); // the text, not its bytes: base64 has more than one text for the same bytes
      if (expected.length !== given.length || !timingSafeEqual(expected, given)) return 'forged';
      const root = Root.safeParse(decode(parts.signed[0]!));
      const caveats = parts.signed.slice(1).map((part) => CaveatShape.safeParse(decode(part)));
      // a caveat of a later version says something that is not understood here: then it holds for nothing
      if (!root.success || caveats.some(({ success }) => !success)) return 'malformed';
      return judge(
        root.data,
        caveats.map(({ data }) => data as Caveat),
        now(),
      );
    },
  };
}

function judge(root: TokenRoot, caveats: readonly Caveat[], at: number): TokenClaims | TokenProblem {
  if ([root, ...caveats].some(({ expiresAt }) => expiresAt !== undefined && at >= expiresAt)) return 'expired';
  const chain = [...root.chain, ...caveats.flatMap(({ to }) => to ?? [])];
  if (chain.length > Math.min(DEEPEST, ...caveats.flatMap(({ maxDepth }) => maxDepth ?? []))) return 'too_deep';
  const capabilities = [root, ...caveats].flatMap((each) => (each.capabilities ? [each.capabilities.map(nameMatcher)] : []));
  const resources = caveats.flatMap((each) => (each.resources ? [each.resources.map(resourceMatcher)] : []));
  return {
    chain,
    run: root.run,
    step: root.step,
    permits: (capability, resource) =>
      capabilities.every((some) => some.some((covers) => covers(capability))) &&
      resources.every((some) => some.some((covers) => covers(resource))),
  };
}

function canonical(pattern: string): string {
  const text = canonicalPattern(pattern);
  if (text === null) throw new Error(`No pattern of resources: ${pattern}`);
  return text;
}

function split(token: string): { signed: readonly string[]; signature: string } | null {
  if (token.length > LONGEST) return null;
  const [version, ...parts] = token.split('.');
  const signature = parts.pop();
  if (version !== VERSION || signature === undefined || parts.length === 0 || parts.length > MOST_CAVEATS + 1) return null;
  return [...parts, signature].every((part) => /^[\w-]+$/.test(part)) ? { signed: parts, signature } : null;
}

const sign = (key: Uint8Array, part: string): Buffer => createHmac('sha256', key).update(part).digest();
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown;
  } catch {
    return null;
  }
}
