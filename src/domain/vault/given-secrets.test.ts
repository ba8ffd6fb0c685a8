import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { bootExitCode, readConfig } from '#core/config';
import type { AppError } from '#core/errors';
import { refuseWeakSecrets } from './given-secrets.ts';

const KEY = 'q7Zr0eJ8u2mXvB5nT1kLcW9sYdA4hGfE6pRiOoUa3xQ=';
const HEX = '8f742231b10e8888abcd99fff00085a5';

const start = async (env: Record<string, string>): Promise<void> =>
  refuseWeakSecrets(await readConfig({ CASTELLAN_HOME: '/nonexistent', ...env }));

/** Each of these keeps the agent from starting, with the name of the variable and never its value. */
const REFUSED: readonly (readonly [key: string, value: string, more?: Record<string, string>])[] = [
  ['CASTELLAN_MASTER_KEY', 'changeme'],
  ['CASTELLAN_MASTER_KEY', 'undefined'],
  ['CASTELLAN_MASTER_KEY', 'null'],
  ['CASTELLAN_MASTER_KEY', 'short'],
  ['CASTELLAN_MASTER_KEY', 'a'.repeat(64)],
  ['CASTELLAN_MASTER_KEY', 'passwordpasswordpasswordpasswordpassword'],
  ['CASTELLAN_MASTER_KEY', '<your-master-key>'],
  ['SLACK_SIGNING_SECRET', 'secret'],
  ['SLACK_SIGNING_SECRET', '12345678'],
  ['SLACK_SIGNING_SECRET', 'changeme', { SLACK_API_URL: 'http://127.0.0.1:9' }],
  ['SLACK_SIGNING_SECRET', HEX, { SLACK_BOT_TOKEN: HEX }],
  ['TELEGRAM_BOT_TOKEN', 'undefined'],
  ['TELEGRAM_BOT_TOKEN', '123:abc'],
  ['DISCORD_BOT_TOKEN', 'your-token'],
  ['SLACK_BOT_TOKEN', 'xxx'],
  ['GITHUB_TOKEN', '<token>'],
  ['ANTHROPIC_API_KEY', 'your-api-key'],
  ['OPENAI_API_KEY', 'null'],
  ['GEMINI_API_KEY', 'changeme'],
  ['SMTP_URL', 'none'],
  ['GITHUB_TOKEN', KEY, { CASTELLAN_MASTER_KEY: KEY }],
  ['OPENAI_API_KEY', KEY, { CASTELLAN_MASTER_KEY: KEY, OPENAI_BASE_URL: 'http://127.0.0.1:9' }],
  ['DISCORD_BOT_TOKEN', HEX, { TELEGRAM_BOT_TOKEN: HEX }],
];

test('stand-ins, short values and one value for two purposes keep the agent from starting', async () => {
  for (const [key, value, more = {}] of REFUSED)
    await assert.rejects(
      start({ [key]: value, ...more }),
      (error: AppError) => {
        assert.match(error.code, /^(config\.weak_secret|vault\.weak_key)$/, key);
        assert.match(error.message, new RegExp(`${key}|SLACK`), key);
        assert.equal(bootExitCode(error), 78);
        if (value.length > 12) assert.ok(!error.message.includes(value), key);
        return true;
      },
      `${key}=${value}`,
    );
});

test('a key file is judged as a key is', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'castellan-key-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [text, code] of [
    ['', 'vault.weak_key'],
    ['changeme\n', 'vault.weak_key'],
    [null, 'config.unreadable'],
  ] as const) {
    const file = join(folder, 'key');
    await rm(file, { force: true });
    if (text !== null) await writeFile(file, text);
    await assert.rejects(start({ CASTELLAN_MASTER_KEY_FILE: file }), { code });
  }
  await writeFile(join(folder, 'good'), `${KEY}\n`);
  await start({ CASTELLAN_MASTER_KEY_FILE: join(folder, 'good') });
});

test('what is empty is not given; real ones pass, and any key for a server of the owner’s', async () => {
  await start({ CASTELLAN_MASTER_KEY: '', TELEGRAM_BOT_TOKEN: ' ', OPENAI_API_KEY: '' });
  await start({
    CASTELLAN_MASTER_KEY: KEY,
    SLACK_SIGNING_SECRET: HEX,
    TELEGRAM_BOT_TOKEN: '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw',
    ANTHROPIC_API_KEY: 'sk-ant-invalid-on-purpose',
  });
  await start({
    OPENAI_API_KEY: 'dummy',
    OPENAI_BASE_URL: 'http://127.0.0.1:1234/v1',
    ANTHROPIC_API_KEY: 'dummy',
    ANTHROPIC_BASE_URL: 'http://127.0.0.1:1234',
  });
});
