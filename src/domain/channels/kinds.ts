import type { ChannelKind } from './kind.ts';
import { telegram } from './telegram/index.ts';
import { terminal } from './terminal/index.ts';
import { web } from './web/index.ts';

/** Every platform there is. */
export const channelKinds: readonly ChannelKind[] = [telegram, terminal, web];
