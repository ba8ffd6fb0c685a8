import type { Anchor, Reading } from './anchor.ts';
import type { Alphabet } from './characters.ts';
import { entropyOf, isStandIn, looksDrawn } from './randomness.ts';

const LONGEST_COMMAND = 2_000;
const USER = /\s(?:-u|--user)(?:=|[ \t]{0,5})(?<user>"[^"\n]{3,200}"(?::"[^"\n]{3,200}")?|'[^'\n]{3,200}'(?::'[^'\n]{3,200}')?|\S{3,200})/g;
const HEADER_KEY = /["'](?:X-(?:[a-z]+-)?)?(?:Api-?)?(?:Key|Token):[ \t]{0,5}(?<value>[\w=~@.+/-]{8,300})["']/gi;

/** `Authorization: Bearer …` anywhere, and what curl is given by `-u` and `-H`. */
export function headerAnchors(alphabet: Alphabet): Anchor[] {
  const value = alphabet.of('[\\w~@.+/=-]');
  const space = alphabet.of('[ \\t"\':=]');

  const authorization: Anchor = {
    text: 'authorization',
    fold: true,
    visit(reading, at) {
      const { text, runs } = reading;
      const gap = runs.length(space, at + 13);
      if (gap === 0 || gap > 8) return;
      const from = at + 13 + gap;
      const scheme = /^(?:basic|bearer|bot|(?:api-?)?(?:token|key)|digest|negotiate)[ \t]+(?:token=["']?)?/i.exec(
        text.slice(from, from + 24),
      );
      take(reading, from + (scheme?.[0].length ?? 0));
    },
  };
  const bearer: Anchor = { text: 'bearer ', fold: true, visit: (reading, at) => take(reading, at + 7) };

  function take(reading: Reading, start: number): void {
    const { text, runs } = reading;
    const length = runs.length(value, start);
    if (start + length === text.length) reading.cut(start);
    if (length < 8 || length > 4_096) return;
    const found = text.slice(start, start + length).replace(/[.]+$/, '');
    runs.spend(Math.min(length, 400));
    if (!isCredential(found.slice(0, 400))) return;
    reading.hit({ start, end: start + found.length, provider: start <= reading.curlUntil ? 'curl-auth-header' : 'authorization-header' });
  }

  const curl: Anchor = {
    text: 'curl',
    fold: true,
    visit(reading, at) {
      const { text, runs } = reading;
      if (at < reading.curlUntil || /\w/.test(text[at - 1] ?? ' ') || /\w/.test(text[at + 4] ?? ' ')) return;
      const command = commandAt(text, at);
      runs.spend(command.length);
      reading.curlUntil = at + command.length;
      if (at + command.length === text.length && /\s-{1,2}u(?:ser)?[\s=]*\S*$/.test(command)) reading.cut(at + command.lastIndexOf(' -'));
      for (const match of command.matchAll(USER)) {
        const user = match.groups!['user']!;
        const start = at + match.index + match[0].length - user.length;
        if (isLogin(user)) reading.hit({ start, end: start + user.length, provider: 'curl-auth-user' });
      }
      for (const match of command.matchAll(HEADER_KEY)) {
        const key = match.groups!['value']!;
        const start = at + match.index + match[0].length - 1 - key.length;
        if (isCredential(key)) reading.hit({ start, end: start + key.length, provider: 'curl-auth-header' });
      }
    },
  };
  return [authorization, bearer, curl];
}

function isCredential(value: string): boolean {
  return looksDrawn(value) && !isStandIn(value) && entropyOf(value) >= 2.75;
}

/** One command, with the lines that a backslash continues. */
function commandAt(text: string, at: number): string {
  const most = text.slice(at, at + LONGEST_COMMAND);
  return /^(?:[^\n\\]|\\[\s\S])*/.exec(most)![0];
}

/** `user:password`, and neither a hole. */
function isLogin(given: string): boolean {
  const plain = given.replaceAll(/["']/g, '');
  const colon = plain.indexOf(':');
  const [user, password] = [plain.slice(0, colon), plain.slice(colon + 1)];
  if (colon === 0 || (colon > 0 && password === ''))
    return looksDrawn(user + password) && (user + password).length >= 8 && !/[${<[]/.test(plain); // one of the two alone
  if (colon < 1 || password.length < 3) return false;
  if (/^[<$[{(]|^\$\(|\{\{|^%/.test(password) && !/\d/.test(password)) return false;
  if (/[<[]/.test(user[0]!) || user.includes('{{') || user.startsWith('$')) return false;
  return !/^(?:change(?:it|me)|pass(?:word)?|pwd|test|token|secret|yyy|\*+|x+)\b/i.test(password) && !isStandIn(password);
}
