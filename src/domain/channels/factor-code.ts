import type { Answering, Approvals } from '#policy';
import type { Approval } from '#policy/contract';
import { answerLine } from './approval-cards.ts';

/** The owner's second factor, as far as a chat can give it. */
export interface FactorPort {
  /** Whether there is an authenticator app, so that six digits are a code and nothing else. */
  hasCodes(): Promise<boolean>;
  /** Uses a code up. Counted by `subject`. Throws `owner.wrong_factor`, `owner.too_many_attempts`. */
  useCode(code: string, by: { readonly subject: string; readonly actor: string; readonly act: string }): Promise<unknown>;
}

/** Six digits or a recovery code in a text, and the question that it names. */
export interface WrittenCode {
  readonly code: string;
  /** The four characters of a question, in capitals. */
  readonly question: string | null;
}

const CODE = /^(?:\d{3}[ \u00a0-]?\d{3}|[0-9a-z]{4}(?:-[0-9a-z]{4}){3})$/i;
const QUESTION = /^[A-HJ-NP-Z2-9]{4}$/i;

/** Reads `123456`, `123 456`, `yes K7QF 123456` or a recovery code; null for any other text. Pure, for it is asked on sight. */
export function readCode(text: string): WrittenCode | null {
  const bare = text.trim();
  if (CODE.test(bare)) return { code: bare, question: null };
  const words = bare.split(/\s+/);
  if (words.length < 2 || words.length > 4) return null;
  const question = words.find((word) => QUESTION.test(word));
  const rest = words.filter((word) => word !== question && !/^(?:yes|approve|confirm)[.,:;!]?$/i.test(word)).join(' ');
  return question !== undefined && CODE.test(rest) ? { code: rest, question: question.toUpperCase() } : null;
}

/** Answers the question that waits for a second factor, with a code that is good for it alone. Says what came of it. */
export async function answerByCode(
  approvals: Pick<Approvals, 'list' | 'answer'>,
  factor: FactorPort,
  { code, question }: WrittenCode,
  answering: Answering,
): Promise<string> {
  const { items } = await approvals.list({ status: 'pending', limit: 500 });
  const waiting = items.filter((it) => it.kind === 'second_factor' && (question === null || it.code === question));
  const [only, another] = waiting;
  if (!only) return 'No question waits for a code. I have not kept it.';
  if (another) return whichText(waiting);
  const verifyFactor = async (): Promise<void> =>
    void (await factor.useCode(code, { subject: `approval:${only.id}`, actor: answering.by, act: `approval:${only.id}` }));
  return answerLine(await approvals.answer(only.id, only.options[0]!.id, { ...answering, verifyFactor }));
}

function whichText(waiting: readonly Approval[]): string {
  const lines = waiting.map(({ code, title }) => `- **${title}**: \`${code}\` and a new code`);
  return ['Several questions wait for a code, so I used it for none. Say which:', ...lines].join('\n');
}
