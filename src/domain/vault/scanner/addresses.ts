import type { Anchor } from './anchor.ts';
import type { Alphabet } from './characters.ts';
import { isStandIn, looksDrawn } from './randomness.ts';
import { isPlaceholder } from '../weak.ts';

const DATABASES =
  /(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|mssql|sqlserver|clickhouse|cockroachdb|oracle|couchdb|nats|ldaps?|smtps?|ftps?|sftp)$/i;

/** Passwords and tokens that stand before the host of an address: `postgres://app:…@db`. */
export function addressAnchors(alphabet: Alphabet): Anchor[] {
  const scheme = alphabet.of('[a-zA-Z0-9+.-]');
  const authority = alphabet.of('[^\\s"\'`<>\\\\/?#]');
  return [
    {
      text: '://',
      fold: false,
      visit(reading, at) {
        const { text, runs } = reading;
        const from = at + 3;
        const length = runs.length(authority, from);
        if (from + length === text.length) reading.cut(from);
        if (length > 1_024) return;
        const whole = text.slice(from, from + length);
        runs.spend(whole.length);
        const host = whole.lastIndexOf('@');
        if (host < 1) return;
        const login = whole.slice(0, host);
        const colon = login.indexOf(':');
        const password = login.slice(colon + 1);
        if (isStandIn(password) || isPlaceholder(password) || /^(?:pass(?:word|wd)?|pwd|\.+|\*+)\d{0,4}$/i.test(password)) return;
        if (colon === -1 ? !(login.length >= 16 && looksDrawn(login)) : password.length < 3) return;
        const start = from + colon + 1;
        reading.hit({ start, end: from + host, provider: kindOf(text.slice(at - runs.before(scheme, at, 20), at), whole.slice(host + 1)) });
      },
    },
  ];
}

function kindOf(scheme: string, host: string): string {
  if (/^(?:gems|enterprise)\.contribsys\.com/i.test(host)) return 'sidekiq-sensitive-url';
  return DATABASES.test(scheme) ? 'db-url' : 'basic-auth-url';
}
