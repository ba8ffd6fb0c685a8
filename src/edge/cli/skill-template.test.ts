import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { writeTemplate } from './skill-template.ts';

test('a new skill has tests that pass, types and a manifest that an editor can check', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'castellan-new-'));
  try {
    const skill = join(folder, 'say_hello');
    const files = await writeTemplate('say_hello', skill);
    assert.ok(
      ['skill.json', 'main.ts', 'main.test.ts', 'README.md', '.sdk/index.ts', '.sdk/skill.schema.json'].every((it) => files.includes(it)),
    );
    const run = promisify(execFile);
    await run(process.execPath, ['--test'], { cwd: skill, env: {} });
    await assert.rejects(writeTemplate('say_hello', skill), { code: 'cli.folder_exists' });
    await assert.rejects(writeTemplate('../x', join(folder, 'x')), { code: 'cli.bad_skill_name' });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
