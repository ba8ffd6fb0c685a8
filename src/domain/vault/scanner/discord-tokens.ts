import type { TokenRule } from './rule.ts';

/**
 * A bot's token begins with the base64 of its id, which is a number: with two digits known there are a hundred beginnings.
 * https://discord.com/developers/docs/reference#authentication
 */
export const discordTokens: readonly TokenRule[] = Array.from({ length: 100 }, (_, number) => ({
  provider: 'discord-bot-token',
  shape: `${Buffer.from(String(number).padStart(2, '0')).toString('base64').slice(0, 2)}${beginning(number)}[\\w-]{20,25}\\.[\\w-]{6}\\.[\\w-]{27,38}`,
  cased: true,
  source: 'https://discord.com/developers/docs/reference#authentication',
}));

/** The third character: it holds the rest of the second digit, and two bits that every digit begins with. */
function beginning(number: number): string {
  return Buffer.from(`${String(number).padStart(2, '0')}0`)
    .toString('base64')
    .charAt(2);
}
