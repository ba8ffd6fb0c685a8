import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createRedactor } from '../redactor.ts';
import { measure, readCorpus } from './corpus.ts';
import { createMatcher } from './matcher.ts';
import { NAMED } from './named.ts';
import { passes } from './passes.ts';
import { patternAnchors } from './scanner.ts';
import { TOKENS } from './tokens.ts';

const redactor = createRedactor();
const { anchors, sets } = patternAnchors();
const matcher = createMatcher(anchors, sets);

/** A made-up value of a rule's shape. */
function madeUp(shape: string): fc.Arbitrary<string> {
  return fc.stringMatching(new RegExp(`^${shape.replaceAll(/,\}/g, ',400}')}$`)).filter((text) => text.length < 1_000);
}

/** Characters of a key, well mixed. */
const mixed = (length: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...'abcdefghijkmnopqrstuvwyzABCDEFGHJKLMNPQRSTUVWYZ23456789'.split('')), {
      minLength: length,
      maxLength: length,
    })
    .map((letters) => letters.join(''))
    .filter((text) => /\d.*\d/.test(text) && new Set(text).size > length / 3);

describe('scanner', () => {
  it('finds the secrets of the corpus and leaves their look-alikes', (t) => {
    const corpus = readCorpus();
    const finds = (text: string): boolean => redactor.scan(text).length > 0;
    const whole = measure(corpus, finds);
    const held = measure(
      corpus.filter(({ heldOut }) => heldOut),
      finds,
    );
    t.diagnostic(`recall ${whole.recall.toFixed(4)}, false positives ${whole.falsePositiveRate.toFixed(4)} of ${corpus.length} texts`);
    t.diagnostic(`a third of them: recall ${held.recall.toFixed(4)}, false positives ${held.falsePositiveRate.toFixed(4)}`);
    t.diagnostic(`missed: ${whole.missed.join(', ')}; wrongly found: ${whole.wronglyFound.join(', ')}`);
    assert.ok(whole.recall >= 0.99, `missed ${whole.missed.join(', ')}`);
    assert.ok(whole.falsePositiveRate <= 0.01, `wrongly found ${whole.wronglyFound.join(', ')}`);
    assert.ok(held.recall >= 0.98 && held.falsePositiveRate <= 0.02);
  });

  it('knows two hundred providers, each with the source of its form', () => {
    const rules = [...TOKENS, ...NAMED];
    assert.ok(new Set(rules.map(({ provider }) => provider)).size >= 200);
    for (const { provider, source } of rules) assert.match(source, /^https:\/\/|^src\//, provider);
    for (const { provider } of rules) assert.match(provider, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert.ok(anchors.every(({ text }) => text.length >= 3));
  });

  it('finds a fresh token of every rule, in talk, in code, in JSON and after an escape', () => {
    for (const rule of TOKENS) {
      for (const shape of [rule.shape].flat()) {
        fc.assert(
          fc.property(
            madeUp(shape).filter((token) => passes(rule, token)),
            (token) => {
              const quoted = JSON.stringify({ a: token });
              for (const text of [`look: ${token} `, `x = "${token}";`, quoted, `\\n${token} `])
                assert.ok(redactor.scan(text).length > 0, `${rule.provider}: ${text}`);
            },
          ),
          { numRuns: 6 },
        );
      }
    }
  });

  it('finds a token in base64, in hex, with spaces, from back to front and over two lines', () => {
    fc.assert(
      fc.property(mixed(36), fc.string({ maxLength: 9 }), (body, before) => {
        const token = `ghp_${body}`;
        const places = [
          Buffer.from(`${before}${token} and more`).toString('base64'),
          Buffer.from(token).toString('hex'),
          token.split('').join(' '),
          token.split('').toReversed().join(''),
          `${token.slice(0, 20)}\n${token.slice(20)}`,
        ];
        for (const text of places) assert.equal(redactor.scan(`it is ${text}.`)[0]?.provider, 'github-pat', text);
      }),
      { numRuns: 60 },
    );
  });

  it('takes a private key whole, with or without its end', () => {
    const body = 'MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQC\n'.repeat(12);
    for (const kind of ['', 'RSA ', 'EC ', 'OPENSSH ', 'ENCRYPTED ']) {
      const pem = `-----BEGIN ${kind}PRIVATE KEY-----\n${body}-----END ${kind}PRIVATE KEY-----`;
      assert.equal(redactor(`before\n${pem}\nafter`), 'before\n[redacted:private-key]\nafter');
      assert.equal(redactor(JSON.stringify({ pem })), '{"pem":"[redacted:private-key]"}');
      assert.ok(!redactor(pem.slice(0, 400)).includes('MIIE'));
    }
    assert.equal(redactor(`-----BEGIN PUBLIC KEY-----\n${body}`).includes('MIIE'), true);
  });

  it('takes the password out of an address and leaves the rest', () => {
    assert.equal(redactor('postgres://app:s3cr3t-Pw@db:5432/x'), 'postgres://app:[redacted:db-url]@db:5432/x');
    for (const text of [
      'https://example.org/a:b@c',
      'postgres://user:password@host/db',
      'redis://:${PASS}@h',
      'https://user:[redacted:db-url]@h',
    ])
      assert.equal(redactor(text), text);
  });

  it('takes passwords and keys where they are set, and not where they are spoken of', () => {
    for (const text of [
      'password=Tr0ub4dor&3',
      'DB_PASSWORD: "hunter2-hunter2"',
      'my password is c0rrect-Horse9',
      '{"api_key":"9f8a7b6c5d4e3f2a1b"}',
    ])
      assert.notEqual(redactor(text), text, text);
    for (const text of [
      'The password policy requires 12 characters.',
      'password: ${DB_PASSWORD}',
      'token: {{ secrets.token }}',
      'token = config.auth.token',
      'secretName: my-app-secret-2',
      'maxTokens: 4096',
      'api_key: your-api-key-here',
      'password: @secret:github',
      'the token expires in 3600 seconds',
    ])
      assert.equal(redactor(text), text);
  });

  it('reports what only names an account, and lets it stand', () => {
    const text = 'discord: 872346120934875612';
    assert.equal(redactor.scan(text)[0]?.identifier, true);
    assert.equal(redactor(text), text);
  });

  it('leaves hashes, nonces and password hashes as they are: what stores them must find them again', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 64 }).map((it) => Buffer.from(it));
    const forms = ['hex', 'base64', 'base64url'] as const;
    fc.assert(
      fc.property(bytes, (it) => {
        for (const form of forms) assert.equal(redactor.stored(it.toString(form)), it.toString(form));
        const stored = [
          `$argon2id$v=19$m=65536,t=3,p=4$${it.toString('base64')}`,
          JSON.stringify({ hash: it.toString('hex'), nonce: it.toString('base64') }),
        ];
        for (const text of stored) assert.equal(redactor.stored(text), text);
      }),
      { numRuns: 2_000 },
    );
    // the marks of a few rules are hex digits, or letters that base64 has: front to back and back to front they stand in some hash
    for (const mark of ['4b1d', 'd1b4', 'EAA', 'aae', 'gpatt', 'IATL', 'oci-'])
      for (const text of [
        `${mark}${'0f9a7c'.repeat(20)}`.slice(0, 64),
        `${'0f9a7c'.repeat(20)}${mark}`.slice(-64),
        `x7${'Zk3Qp9'.repeat(12)}${mark}A=`,
      ])
        assert.equal(redactor.stored(text), text, text);
  });

  it('changes nothing the second time, and keeps JSON what it is', () => {
    const samples = readCorpus();
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...samples), { maxLength: 4 }), (some) => {
        const text = some.map((it) => it.text).join('\n');
        const once = redactor(text);
        assert.equal(redactor(once), once);
        const json = redactor.json({ password: text, list: [text] });
        assert.deepEqual(JSON.parse(JSON.stringify(json)), json);
      }),
      { numRuns: 60 },
    );
  });

  it('does work in proportion to the text, whatever the text is', () => {
    const marks = anchors.map(({ text }) => text);
    const piece = fc.oneof(
      fc.constantFrom(...marks),
      fc.constantFrom('.', '"', ':', '=', ' ', 'a', '0', '-', '/', '@', '\n', '\\'),
      fc.string({ maxLength: 4 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 6 }), (pieces) => {
        const unit = pieces.join('');
        if (unit === '') return;
        const [short, long] = [unit.repeat(Math.ceil(2_000 / unit.length)), unit.repeat(Math.ceil(16_000 / unit.length))];
        const perCharacter = (text: string): number => matcher.scan(text).work / text.length;
        assert.ok(perCharacter(long) <= perCharacter(short) * 1.6 + 24, unit);
        assert.ok(perCharacter(long) < 400, unit);
      }),
      { numRuns: 400 },
    );
  });
});

describe('a text in pieces', () => {
  const samples = readCorpus().filter(({ isSecret }) => isSecret);

  it('gives away nothing that the whole would not, wherever it is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...samples), { minLength: 1, maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 40 }),
        (some, sizes) => {
          const text = `Well: ${some.map((it) => it.text).join('\nand ')}\n`;
          let shown = '';
          let from = 0;
          let at = 0;
          for (let turn = 0; at < text.length; turn += 1) {
            at = Math.min(text.length, at + sizes[turn % sizes.length]!);
            const { ready, held } = redactor.part(text.slice(0, at), from);
            shown += ready;
            from = held;
          }
          shown += redactor.part(`${text} `, from).ready;
          for (const hit of redactor.scan(text)) {
            const secret = text.slice(hit.start, hit.end);
            if (!hit.identifier && secret.length >= 12) assert.ok(!shown.includes(secret), `${hit.provider}: ${secret}\n${shown}`);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
