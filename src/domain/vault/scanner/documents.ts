import type { Anchor } from './anchor.ts';
import { beginsHere } from './boundary.ts';
import type { Alphabet } from './characters.ts';
import { isStandIn } from './randomness.ts';

const LONGEST_HEADER = 160;
const LONGEST_PEM = 32 * 1_024;
/** A key whose lines break off is waited for this long in a stream. */
const LONGEST_REST = 1_024;
const LONGEST_TOKEN = 16 * 1_024;
const LONGEST_MANIFEST = 700;

/** Secrets with a form of several parts: private keys in PEM (RFC 7468), JSON web tokens (RFC 7519), a cluster's Secret, a service account. */
export function documentAnchors(alphabet: Alphabet): Anchor[] {
  const body = alphabet.of('[A-Za-z0-9+/=\\s\\\\:,-]');
  const segment = alphabet.of('[\\w/\\\\-]');

  const pem: Anchor = {
    text: '-----begin',
    fold: true,
    visit(reading, at) {
      const { text, runs } = reading;
      const header = /^-----BEGIN[ \w-]{0,100}?PRIVATE KEY(?: BLOCK)?-----/i.exec(text.slice(at, at + LONGEST_HEADER));
      if (!header) {
        if (at + LONGEST_HEADER > text.length && !text.slice(at + 5).includes('-----')) reading.cut(at);
        return;
      }
      const from = at + header[0].length;
      let end = from + Math.min(runs.length(body, from), LONGEST_PEM);
      const close = runs.next('-----', from);
      if (close !== -1 && close - from <= LONGEST_PEM) {
        const line = runs.next('KEY-----', from);
        const folded = /KEY(?: BLOCK)?-----/i.exec(text.slice(close, close + 400));
        end = Math.max(
          close,
          line !== -1 && line - from <= LONGEST_PEM ? line + 8 : 0,
          folded ? close + folded.index + folded[0].length : 0,
        );
        runs.spend(400);
      }
      if (end >= text.length || (close === -1 && text.length - end < LONGEST_REST)) reading.cut(at);
      if (end - from >= 24) reading.hit({ start: at, end: Math.min(end, text.length), provider: 'private-key' });
    },
  };

  const jwt: Anchor = {
    text: '.ey',
    fold: false,
    visit(reading, at) {
      const { text, runs } = reading;
      const header = runs.before(segment, at, LONGEST_TOKEN);
      const payload = runs.length(segment, at + 1);
      const start = at - header;
      const first = text.lastIndexOf('ey', at - 17);
      runs.spend(Math.min(at, 32));
      const from = text.startsWith('ey', start) ? start : first >= start && beginsHere(text, first) ? first : -1;
      if (from === -1 || payload < 17) return void (at + 1 + payload === text.length && header > 0 && reading.cut(Math.max(start, 0)));
      const dot = at + 1 + payload;
      const signature = text[dot] === '.' ? runs.length(segment, dot + 1) : 0;
      let end = dot + (signature >= 10 ? 1 + signature : 0);
      if (dot >= text.length || dot + 1 + signature >= text.length) reading.cut(from);
      if (text[dot] !== '.') return;
      while (text[end] === '=') end += 1;
      if (!isStandIn(text.slice(from, Math.min(end, from + 64)))) reading.hit({ start: from, end, provider: 'jwt' });
    },
  };

  /** A token's header alone: what follows may come in the next piece of a stream. */
  const jwtHeader: Anchor = {
    text: 'eyj',
    fold: true,
    visit(reading, at) {
      if (at + reading.runs.length(segment, at) === reading.text.length) reading.cut(at);
    },
  };

  const serviceAccount: Anchor = {
    text: '"service_account"',
    fold: false,
    visit(reading, at) {
      const before = /"type"\s{0,4}:\s{0,4}$/.exec(reading.text.slice(Math.max(0, at - 20), at));
      if (before) reading.hit({ start: at - before[0].length, end: at + 17, provider: 'gcp-service-account', identifier: true });
    },
  };

  const manifest: Anchor = {
    text: 'kind:',
    fold: true,
    visit(reading, at) {
      const { text, runs } = reading;
      const kind = /^kind:[ \t]*["']?secret\b/i.exec(text.slice(at, at + 40));
      if (!kind || at < reading.manifestUntil) return;
      reading.manifestUntil = at + LONGEST_MANIFEST;
      const from = Math.max(0, at - LONGEST_MANIFEST);
      const around = text.slice(from, at + LONGEST_MANIFEST);
      runs.spend(around.length);
      for (const data of around.matchAll(
        /\b(?:stringData|data):[\s\S]{0,100}?\s[\w.-]+:[ \t]*(?:\||>-?)?\s*["']?(?<value>[a-z0-9+/]{10,}={0,3})/gi,
      )) {
        const value = data.groups!['value']!;
        const start = from + data.index + data[0].length - value.length;
        reading.hit({ start, end: start + value.length, provider: 'kubernetes-secret-yaml' });
      }
    },
  };
  return [pem, jwt, jwtHeader, serviceAccount, manifest];
}
