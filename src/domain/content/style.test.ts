import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { hidesFromView, hidingSelectors } from './style.ts';

it('knows the ways a style hides text, and leaves ordinary styles alone', () => {
  const hiding = [
    'display:none',
    'DISPLAY : None !important',
    'visibility: hidden',
    'opacity:0',
    'opacity: 0.01; color: red',
    'font-size:0',
    'font-size: 1px',
    'color:#fff;background:#fff;font-size:12px',
    'color: white; background-color: rgb(255, 255, 255)',
    'color: transparent',
    'color: rgba(0,0,0,0)',
    'position:absolute;left:-9999px',
    'text-indent:-10000px',
    'position:absolute; clip: rect(0 0 0 0)',
    'clip-path: inset(50%)',
    'height:0;overflow:hidden',
    'width:1px;height:1px;overflow:hidden',
    'transform: scale(0)',
  ];
  for (const style of hiding) assert.ok(hidesFromView(style), style);
  const shown = [
    '',
    'display:block',
    'opacity:0.8',
    'font-size:1em',
    'font-size: 12px',
    'color:#fff',
    'color:#fff;background:#000',
    'left:-5px;position:absolute',
    'text-indent:2em',
    'height:0',
    'overflow:hidden',
    'width:100%;overflow:hidden',
    'transform: scale(0.5)',
    ';;:;',
    'color:red;background:url(x) no-repeat',
  ];
  for (const style of shown) assert.ok(!hidesFromView(style), style);
});

it('finds the selectors of a sheet that hide for good', () => {
  const sheet = `/* .a{display:none} */ @import "x"; .b, p.c > span { color: red; display: none } .d:hover{display:none}
    @media print { .e { display:none } } body{opacity:0} main .f{visibility:hidden} .g{display:block} .h{opacity:0}`;
  assert.deepEqual(hidingSelectors(sheet), ['.b', 'p.c > span', '.h']);
  fc.assert(
    fc.property(fc.array(fc.constantFrom('{', '}', '/*', '*/', '.a', 'display:none', ';', '@media', ',')), (parts) =>
      Array.isArray(hidingSelectors(parts.join(''))),
    ),
  );
});
