import type { ApprovalOption } from './contract.ts';

/** No I, O, 0, 1: they are read wrongly. */
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const CODE = new RegExp(`^[${LETTERS}]{4}$`);

/** Four characters from four random bytes. */
export function codeFrom(bytes: Uint8Array): string {
  return Array.from(bytes.subarray(0, 4), (byte) => LETTERS[byte % LETTERS.length]).join('');
}

/** What a text would mean as an answer: "yes K7QF", "k7qf yes". Both readings, where two words could be the code. */
export function readAnswer(text: string): { readonly code: string; readonly option: string }[] {
  const words = text.trim().replace(/[.!]$/, '').split(/\s+/);
  if (words.length < 2 || words.length > 8) return [];
  const readings = [
    { code: words.at(-1)!, option: words.slice(0, -1).join(' ') },
    { code: words[0]!, option: words.slice(1).join(' ') },
  ];
  return readings
    .map(({ code, option }) => ({ code: code.replace(/[.,:;!]$/, '').toUpperCase(), option }))
    .filter(({ code }) => CODE.test(code));
}

/** The option of this id or label, whatever the case. */
export function matchOption(options: readonly ApprovalOption[], wanted: string): ApprovalOption | undefined {
  const plain = wanted.trim().toLowerCase();
  return options.find(({ id }) => id === plain) ?? options.find(({ label }) => label.toLowerCase() === plain);
}
