/** Shorter ones the agent refuses. */
const LEAST = 10;

/** Bits of a password guessed letter by letter, below which it is weak, fair, good. */
const STEPS = [40, 55, 72] as const;

/** A hint while typing, 0 (refused) to 4 (strong); the agent itself judges, and knows the common ones. */
export function passwordStrength(password: string): 0 | 1 | 2 | 3 | 4 {
  if ([...password].length < LEAST) return 0;
  const bits = distinctLength(password.toLowerCase()) * Math.log2(alphabet(password));
  const passed = STEPS.filter((step) => bits >= step).length;
  return (1 + passed) as 1 | 2 | 3 | 4;
}

/** Length, where what repeats or merely counts on (aaaa, 1234, abab) counts for little. */
function distinctLength(text: string): number {
  const letters = [...text];
  const isNew = (letter: string, at: number): boolean => {
    const before = letters[at - 1];
    if (before === undefined) return true;
    const step = letter.codePointAt(0)! - before.codePointAt(0)!;
    return Math.abs(step) > 1 && letter !== letters[at - 2];
  };
  return letters.reduce((sum, letter, at) => sum + (isNew(letter, at) ? 1 : 0.25), 0);
}

function alphabet(text: string): number {
  const kinds: readonly (readonly [RegExp, number])[] = [
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/[0-9]/, 10],
    [/[^a-zA-Z0-9]/, 20],
  ];
  return kinds.reduce((sum, [kind, size]) => sum + (kind.test(text) ? size : 0), 0);
}
