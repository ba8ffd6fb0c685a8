// The real agent CLIs against the conformance of a backend, with a local model server behind the gateway: no key, no network for them.
// CASTELLAN_TEST_AGENTS names a folder where they are installed; else they are brought from the package registry (1.5 GB).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Json } from '#core/json';
import { bubblewrap, recipes, setup, type AcpBedOptions } from '#agents/testing';
import type { Script } from '#llm/testing';
import type { TurnEvent } from '#agents/contract';

const place = { folder: process.env['CASTELLAN_TEST_AGENTS'] ?? '', isOurs: false };

before(async () => {
  if (place.folder !== '') return;
  place.folder = await mkdtemp(join(tmpdir(), 'castellan-agents-'));
  place.isOurs = true;
  execFileSync(
    'npm',
    ['install', '--prefix', place.folder, '--ignore-scripts', '--no-audit', '--no-fund', ...recipes.flatMap(({ install }) => install)],
    { stdio: 'inherit' },
  );
});
after(async () => {
  if (place.isOurs) await rm(place.folder, { recursive: true, force: true });
});

/** A model that runs the command in backquotes by whatever shell tool it is offered, and then tells what came of it. */
const obedient: Script = (request) => {
  const { prompt, toolResults } = request;
  if (toolResults.length > 0) return { text: `It said: ${toolResults.at(-1)!.slice(0, 200)}` };
  const command = /RUN `([^`]+)`/.exec(prompt)?.[1];
  const offered = (request.body['tools'] ?? []) as {
    function?: { name: string; parameters?: { properties?: Record<string, { type?: string }> } };
  }[];
  const shell = offered
    .map((tool) => tool.function)
    .find((tool) => /^(bash|shell|exec_command|run_shell_command|shell_command|local_shell)$/i.test(tool?.name ?? ''));
  if (command === undefined || !shell)
    return {
      text: /SLOW/.test(prompt) ? 'so slow '.repeat(200) : 'Hello from the model.',
      ...(/SLOW/.test(prompt) && { chunkDelayMs: 100 }),
    };
  const properties = shell.parameters?.properties ?? {};
  const asked: Json = 'cmd' in properties ? command : properties['command']?.type === 'array' ? ['bash', '-lc', command] : command;
  return {
    toolCalls: [
      {
        name: shell.name,
        input: { ['cmd' in properties ? 'cmd' : 'command']: asked, ...('description' in properties && { description: 'A test' }) },
      },
    ],
  };
};

const end = (events: readonly TurnEvent[]) => events.find((event) => event.type === 'end')!;

for (const recipe of recipes) {
  const bed = (options: Partial<AcpBedOptions> = {}) => setup({ agentsFolder: place.folder, recipe, script: obedient, ...options });

  describe(recipe.title, { skip: bubblewrap === null && 'bubblewrap is not installed', timeout: 300_000 }, () => {
    it('streams a turn with the model of the gateway, booked to the turn', async () => {
      await using t = await bed();
      const { status, message, error } = end(await t.tell('Say hello'));
      assert.equal(status, 'succeeded', JSON.stringify(error));
      assert.match(message.text, /Hello from the model\./);
      assert.ok((await t.runs.get(message.runId)).costUsd > 0);
    });

    it('runs a command with the owner’s yes, inside the sandbox alone', async () => {
      await using t = await bed({ mode: 'dont_ask' });
      const { message } = end(await t.tell('RUN `touch made.txt; ls /root /etc/passwd; true`'));
      assert.ok(existsSync(join(t.workspace.folder, 'made.txt')), message.text);
      assert.doesNotMatch(message.text, /\.castellan|root:x/);
    });

    it('changes nothing in plan mode, whatever it tries', async () => {
      await using t = await bed({ mode: 'plan', answer: 'no' });
      await t.tell('RUN `touch made.txt`');
      assert.ok(!existsSync(join(t.workspace.folder, 'made.txt')));
    });

    it('stops in the middle of an answer', async () => {
      await using t = await bed();
      const events: TurnEvent[] = [];
      const about = { conversationId: t.id, text: 'SLOW', origin: { kind: 'owner' as const }, signal: AbortSignal.timeout(120_000) };
      for await (const { data } of t.turns.turn(about)) {
        events.push(data);
        if (data.type === 'text') void t.turns.cancel(t.id);
      }
      assert.equal(end(events).status, 'cancelled');
    });

    it('goes on after kill -9 where it was', async () => {
      await using t = await bed();
      await t.tell('Remember the word PINEAPPLE');
      for (const child of t.children.list()) await child.stop();
      const before = t.fake.requests.length;
      const { status, error } = end(await t.tell('What was the word?'));
      assert.equal(status, 'succeeded', JSON.stringify(error));
      // some also ask a model for a title, which knows nothing of it
      assert.ok(t.fake.requests.slice(before).some(({ body }) => /PINEAPPLE/.test(JSON.stringify(body))));
    });

    it('is held by the budget of the turn', async () => {
      await using t = await bed({ turnUsd: 0.000_001 });
      const { message, status } = end(await t.tell('Say hello'));
      assert.equal(t.fake.requests.length, 0, `${status}: ${message.text}`);
    });
  });
}
