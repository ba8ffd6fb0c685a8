import type { Anchor, Reading } from './anchor.ts';
import type { Alphabet } from './characters.ts';
import { entropyOf, isStandIn, looksDrawn } from './randomness.ts';
import { isPlaceholder } from '../weak.ts';

/** Words that name a secret in code, settings and talk. */
const WORDS =
  `password passwd passwort passphrase pwd passcode secret token apikey api_key api-key api key accesskey access_key access-key access key
  appkey app_key private_key private-key privatekey signing_key signingkey encryption_key encryptionkey master_key masterkey account_key accountkey
  auth_key authkey credential x-key license_key`
    .replaceAll(/(api|access) key/g, '$1+key')
    .split(/\s+/)
    .map((word) => word.replace('+', ' '));
/** Names that end so tell about a secret and hold none. */
const TELLS_ABOUT =
  /(?:id|ids|name|url|uri|path|file|dir|type|kind|size|length|len|count|limit|ttl|age|expiry|expires|expires_?(?:in|at)|version|policy|field|header|hint|label|prompt|format|regex|pattern|variable|var|endpoint|host|env|scope|scopes|status|state|hash|digest|salt|prefix|used|usage|budget|ref|reference|tag|date|_at|_ns)$/i;
const NO_SECRET =
  /csrf|xsrf|public|pubkey|accessor|tokeniz|next_?page|page_?token|cursor|sync_?token|continuation|cancell?ation|idempoten/i;
const LONGEST_NAME = 32;
const LONGEST_GAP = 40;
const LONGEST_VALUE = 256;
const LONGEST_QUOTED = 300;

/** `password = …`, `"api_key": "…"`, `my token is …`: a value judged by its name and by how random it is. */
export function assignmentAnchors(alphabet: Alphabet): Anchor[] {
  const name = alphabet.of('[\\w.-]');
  const gap = alphabet.of('[ \\t"\'`:=>\\\\]');
  const bare = alphabet.of('[^\\s"\'`,;<>&(){}\\[\\]\\\\|]');
  return WORDS.map((word) => ({
    text: word,
    fold: true,
    visit(reading, at) {
      const { text, runs } = reading;
      const after = at + word.length;
      const rest = runs.length(name, after);
      const from = after + rest;
      const span = rest > LONGEST_NAME ? 0 : runs.length(gap, from);
      const value = span === 0 || span > LONGEST_GAP ? null : valueAfter(text, from, from + span);
      if (value === null) return;
      const whole = text.slice(at - runs.before(name, at, LONGEST_NAME), from);
      if (TELLS_ABOUT.test(whole) || NO_SECRET.test(whole)) return;
      const quote = text[value.start - 1]!;
      const quoted = quote === '"' || quote === "'" || quote === '`';
      const end = quoted ? quotedEnd(reading, value.start, quote) : value.start + runs.length(bare, value.start);
      judge(reading, word, value.start, end, { said: value.said && !quoted, quoted });
    },
  }));
}

/** Where the value begins after a name and the signs behind it: after `:` or `=`, after `" value="`, after `is`. */
function valueAfter(text: string, from: number, to: number): { readonly start: number; readonly said: boolean } | null {
  for (let at = from; at < to; at += 1) if (text[at] === ':' || text[at] === '=') return { start: to, said: false };
  if (!/[iwlev]/i.test(text[to] ?? '')) return null;
  const rest = text.slice(to, to + 16);
  const xml = /^value=["']/i.exec(rest);
  if (xml && /^["']? +$/.test(text.slice(from, to))) return { start: to + xml[0].length, said: false };
  const said = to === from + 1 && text[from] === ' ' ? /^(?:is|was|lautet|ist|est|es)[ :]+["'`]?/.exec(rest) : null;
  return said && { start: to + said[0].length, said: true };
}

/** Where a quoted value ends: at its quote, or at the `\"` of a quote inside a quoted text. */
function quotedEnd({ text, runs }: Reading, start: number, quote: string): number {
  const end = runs.next(quote, start);
  if (end === -1 || end - start > LONGEST_QUOTED) return Math.min(text.length, start + LONGEST_QUOTED + 1);
  return text[end - 1] === '\\' ? end - 1 : end;
}

function judge(
  reading: Reading,
  word: string,
  start: number,
  found: number,
  how: { readonly said: boolean; readonly quoted: boolean },
): void {
  const { text, runs } = reading;
  if (found >= text.length && found - start <= LONGEST_VALUE) reading.cut(start);
  const line = runs.next('\n', start);
  const end = trimmed(text, start, line === -1 ? found : Math.min(found, line));
  if (end - start > LONGEST_VALUE || end - start < 8 || text.startsWith('..', end)) return;
  const value = text.slice(start, end);
  runs.spend(value.length);
  const isOfPassword = /^pass|^pwd/.test(word);
  if (!(isOfPassword ? isPassword(value, !how.said, how.quoted) : isKey(value)) || isNoSecret(value, word)) return;
  reading.hit({ start, end, provider: isOfPassword ? 'password' : 'generic-api-key' });
}

/** Without the full stop or comma of a sentence. */
function trimmed(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && /[.,:!?\s]/.test(text[at - 1]!)) at -= 1;
  return at;
}

function isPassword(value: string, plain: boolean, quoted: boolean): boolean {
  if (/\s/.test(value) || (!quoted && /^(?:[A-Z][a-z]+\d{0,2}){2,}$/.test(value))) return false;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^\w\s]/].filter((kind) => kind.test(value)).length;
  return kinds >= (plain ? 2 : 3) && /[\d\W_]/.test(value) && !/^[A-Za-z]+(?:[-_.][A-Za-z]+)+$/.test(value) && entropyOf(value) >= 2.5;
}

function isKey(value: string): boolean {
  if (value.length < 10 || !/^[\x21-\x7e]+$/.test(value)) return false;
  if (!looksDrawn(value) || !/[A-Za-z]/.test(value)) return false;
  return entropyOf(value) >= (value.length < 16 ? 2.9 : 3.1) && !isDashedWords(value);
}

/** `prod-2-eu-west`, `v1.2.3-SNAPSHOT`: words and small numbers with something between. */
function isDashedWords(value: string): boolean {
  const parts = value.split(/[-_./:]/);
  return parts.length > 1 && parts.every((part) => /^(?:[A-Za-z]{0,16}\d{0,4}|\d{1,12})$/.test(part));
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

function isNoSecret(value: string, word: string): boolean {
  return (
    isStandIn(value) ||
    isPlaceholder(value) ||
    /^(?:[a-z][a-z0-9+.-]*:\/\/|\.{0,2}\/|~\/|[A-Z]:\\)/i.test(value) || // an address, a path
    /^[a-z_$][\w$]*(?:\.[a-z_$][\w$]*)+$/i.test(value) || // config.auth.token
    /^[A-Z][A-Z0-9_]*_[A-Z0-9_]+$/.test(value) || // API_TOKEN_2
    /^\d+(?:[.,]\d+)*$/.test(value) ||
    /^(?:true|false|null|none|undefined|function|async|await|string|number|boolean|object)\b/i.test(value) ||
    (UUID.test(value) && !/^(?:api.?key|secret|pass)/.test(word))
  );
}
