import assert from 'node:assert/strict';
import { it } from 'node:test';
import { cutText } from './cut-text.ts';

it('shows a text with the first characters of each secret, and its provider', () => {
  const secrets = [
    { provider: 'github-pat', start: 3, end: 13 },
    { provider: 'vault', start: 13, end: 20, name: 'db' },
  ];
  assert.deepEqual(cutText('my ghp_aaaaaasesame! end', secrets), [
    { text: 'my ', provider: null },
    { text: 'ghp_…', provider: 'github-pat' },
    { text: 'sesa…', provider: 'secret:db' },
    { text: ' end', provider: null },
  ]);
  assert.deepEqual(cutText('nothing', []), [{ text: 'nothing', provider: null }]);
});
