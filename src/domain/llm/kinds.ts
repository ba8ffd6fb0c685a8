import { anthropic } from './anthropic/index.ts';
import { compatible } from './compatible/index.ts';
import type { ProviderKind } from './contract.ts';
import { google } from './google/index.ts';
import { offline } from './offline/index.ts';
import { openai } from './openai/index.ts';

/** Every way to reach models. `offline` is last: it always answers. */
export const providerKinds: readonly ProviderKind[] = [anthropic, google, openai, compatible, offline];
