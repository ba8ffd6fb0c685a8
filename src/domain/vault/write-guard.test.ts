import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createRedactor } from './redactor.ts';
import { createWriteGuard } from './write-guard.ts';

const redactor = createRedactor();
redactor.load([{ name: 'door', value: 'open sesame, please' }]);
const guard = createWriteGuard(redactor);
const token = `ghp_${'aB3dE5gH7jK9mN2pQ4rS6tV8wX1yZ0cF4hJ2'}`;

it('names the field that holds a secret, and how to keep it instead', () => {
  const found = guard.objection({ steps: [{ id: 'a' }, { config: { headers: { note: `use ${token}` } } }] });
  assert.equal(found?.field, 'steps[1].config.headers.note');
  assert.equal(found?.code, 'vault.secret_in_text');
  assert.match(found.message, /github-pat.*castellan secret set/);
  assert.ok(!found.message.includes(token));
  assert.match(guard.objection('I say open sesame, please')!.message, /write @secret:door/);
  assert.equal(guard.objection({ password: 'Tr0ub4dor&3x' })?.field, 'password');
  assert.equal(guard.objection({ config: { [token]: 1 } })?.field, 'config');
});

it('lets references, holes and ordinary values be', () => {
  const value = {
    password: '@secret:door',
    token: '{{ input.token }}',
    key: '${KEY}',
    text: 'The password is never spoken',
    url: 'https://u:@secret:door@h',
    n: 4,
  };
  assert.equal(guard.objection(value), null);
  guard.refuse(value, 'workflow');
});

it('refuses what stands for a secret that was taken out', () => {
  for (const text of [
    '[secret:door]',
    'Bearer [redacted:github-pat]',
    '[secret]',
    '[redacted]',
    `x ${redactor(token)}`,
    redactor('say open sesame, please'),
  ])
    assert.throws(() => guard.refuse({ config: { key: text } }, 'workflow'), {
      code: 'vault.placeholder',
      message: /^workflow\.config\.key: /,
    });
  guard.refuse('a list [1], a [link](https://example.org) and [secrets of the trade]', 'text');
});
