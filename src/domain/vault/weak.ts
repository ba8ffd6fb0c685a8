/** Words that stand where a secret should be; compared without case, spaces and punctuation. */
const PLACEHOLDERS = new Set(
  `undefined null none nil nan true false empty todo tbd fixme xxx secret secretkey mysecret mysecretkey topsecret supersecret password passwd mypassword
  changeme changethis changeit change replaceme replacethis replace placeholder default example sample test testing dummy insert insertkeyhere
  key apikey yourkey yourapikey yoursecret yoursecretkey yourpassword yourtoken token mytoken masterkey yourmasterkey admin root castellan castellanmasterkey
  thisisasecret thisisnotasecret donotuse notasecret`.split(/\s+/),
);

/** Whether a text is a stand-in (`changeme`, `<your-key>`, `undefined`), alone or repeated, rather than a secret. */
export function isPlaceholder(text: string): boolean {
  const plain = text.toLowerCase().replace(/[^a-z0-9]/g, '');
  if (plain === '') return true;
  if (/^(your|insert|replace|change|enter|put|fillin)[a-z]*(key|secret|password|token|here|me|this|it)$/.test(plain)) return true;
  const unit = shortestUnit(plain);
  return unit.length === 1 || PLACEHOLDERS.has(unit) || PLACEHOLDERS.has(plain.replace(/[0-9]+$/, ''));
}

/** `abcabcab` is made of `abc`. */
function shortestUnit(text: string): string {
  for (let length = 1; length <= text.length / 2; length += 1) {
    const unit = text.slice(0, length);
    if (unit.repeat(Math.ceil(text.length / length)).startsWith(text)) return unit;
  }
  return text;
}
