import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { takeLoginCode } from './login-code.ts';
import { passwordStrength } from './strength.ts';

describe('The code of a login link', () => {
  it('is taken out of the address, which keeps the rest', () => {
    const shown: unknown[] = [];
    const history = { replaceState: (_data: unknown, _title: string, url?: string | URL | null) => void shown.push(url) };
    assert.equal(takeLoginCode({ hash: '#login=a-b_C', pathname: '/runs', search: '?x=1' }, history), 'a-b_C');
    assert.deepEqual(shown, ['/runs?x=1']);
  });

  it('is not seen in another fragment', () => {
    const history = { replaceState: () => assert.fail('the address changes') };
    for (const hash of ['', '#', '#main', '#login=', '#other=1'])
      assert.equal(takeLoginCode({ hash, pathname: '/', search: '' }, history), null);
  });
});

describe('Password strength', () => {
  it('refuses what the agent refuses for its length', () => {
    assert.equal(passwordStrength(''), 0);
    assert.equal(passwordStrength('Xy7!Xy7!X'), 0);
  });

  it('is not impressed by length alone', () => {
    for (const password of ['aaaaaaaaaaaaaaaa', '1234567890123', 'abcdefghijklmnop', 'abababababababab'])
      assert.equal(passwordStrength(password), 1, password);
  });

  it('knows words and mixtures for strong', () => {
    for (const password of ['velvet orchard tram seven', 'k7#Qw!pL9z$Mv2']) assert.equal(passwordStrength(password), 4, password);
  });
});
