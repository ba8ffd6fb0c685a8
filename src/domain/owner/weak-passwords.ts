import { isPlaceholder } from '#vault';

const SHORTEST = 10;

/** Words that head every list of leaked passwords; refused alone, repeated, and with digits or marks around them. */
const COMMON = new Set(
  `password passwort motdepasse contrasena wachtwoord parola qwerty qwertz azerty qwertyuiop qwertyuiopasdfghjkl asdfghjkl zxcvbnm welcome letmein letmeinplease
  iloveyou admin administrator root user guest login master monkey dragon football baseball basketball superman batman sunshine princess shadow michael
  jennifer charlie trustno trustnoone whatever freedom starwars pokemon computer internet samsung google facebook microsoft apple liverpool chelsea arsenal
  changeme changemenow changemeplease default temporary temppassword testpassword mypassword newpassword yourpassword ourpassword passwordpassword p4ssw0rd passw0rd pa55word
  secret supersecret topsecret castellan castellanadmin castle correcthorsebatterystaple opensesame hello helloworld blink hunter onetwothree abc aaa test testing lovely
  flower soccer hockey jordan killer pepper cheese summer winter spring autumn january february monday friday`.split(/\s+/),
);

const RUNS = [
  '01234567890123456789',
  '98765432109876543210',
  'abcdefghijklmnopqrstuvwxyz',
  'zyxwvutsrqponmlkjihgfedcba',
  'qwertyuiopasdfghjklzxcvbnm',
  '1qaz2wsx3edc4rfv5tgb6yhn',
  '1q2w3e4r5t6y7u8i9o0p',
];

/** What is wrong with a password, and what to do; null for a good one. */
export function weakness(password: string): string | null {
  const plain = password.normalize('NFKC').toLowerCase();
  if ([...plain].length < SHORTEST) return `use at least ${SHORTEST} characters; a few unrelated words do well`;
  if (new Set(plain).size < 5) return 'it repeats a few characters; use a few unrelated words';
  const letters = plain.replace(/[^\p{L}\p{N}]/gu, '');
  const word = letters.replace(/^\p{N}+|\p{N}+$/gu, '');
  const isCommon = COMMON.has(letters) || COMMON.has(word) || COMMON.has(letters.slice(0, letters.length / 2)) || isPlaceholder(plain);
  if (isCommon) return 'it is among the first that are tried; use a few unrelated words';
  if (RUNS.some((run) => run.includes(letters))) return 'it is a run of keys; use a few unrelated words';
  return null;
}
