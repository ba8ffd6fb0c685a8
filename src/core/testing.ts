import fc from 'fast-check';

/** Strings of any characters, lone surrogates among them; fast-check's own `binary` takes a second to make. */
export function anyText({ maxLength = 40 }: { readonly maxLength?: number } = {}): fc.Arbitrary<string> {
  return fc.array(fc.integer({ min: 0, max: 0x10_ffff }), { maxLength }).map((points) => String.fromCodePoint(...points));
}
