import { z } from 'zod';
import type { Bus } from '#core/bus';
import type { Store } from '#core/db/store';
import { AppError } from '#core/errors';
import type { Answering, Approvals } from '#policy';
import { needsFactor, type Approval, type ApprovalOption } from '#policy/contract';
import { LabelPath } from '#runs/contract';
import type { FactorPort } from './factor-code.ts';
import type { Delivery } from './delivery.ts';
import type { Button } from './kind.ts';
import type { Targets } from './targets.ts';

const KEY = 'approval:';
const DETAILS_SHOWN = 1_500;
/** A button carries 64 bytes, of which the code takes five. */
const LONGEST_ID = 59;

export interface CardsDeps {
  readonly store: Store;
  readonly bus: Bus;
  readonly delivery: Delivery;
  readonly targets: Targets;
  readonly approvals: Pick<Approvals, 'list'>;
  readonly factor: Pick<FactorPort, 'hasCodes'>;
}

/** Shows the owner's questions on every channel there is, and takes the buttons off when one was answered anywhere. Resolves when those that wait are shown. */
export async function showApprovals({ store, bus, delivery, targets, approvals, factor }: CardsDeps, signal: AbortSignal): Promise<void> {
  const show = async ({ approval }: { readonly approval: Approval }): Promise<void> => {
    const proof = approval.kind !== 'second_factor' ? 'none' : (await factor.hasCodes()) ? 'code' : 'elsewhere';
    await store.write(async (tx) => {
      for (const { channel, kind, chat } of await targets.everywhere(tx))
        await delivery.post(tx, {
          key: `${KEY}${approval.id}@${channel.id}:${chat}`,
          text: cardText(approval, kind.capabilities.buttons, proof),
          channel: channel.id,
          to: chat,
          buttons: kind.capabilities.buttons ? buttonsOf(approval, proof) : [],
          repeatable: true,
        });
    });
  };
  /** Asked while nobody listened here, or before this chat was let in. */
  const showPending = async (): Promise<void> => {
    const { items } = await approvals.list({ status: 'pending', limit: 500 });
    for (const approval of items) await show({ approval });
  };
  const close = async ({ approval }: { readonly approval: Approval }): Promise<void> =>
    store.write(async (tx) => {
      for (const { channel, chat } of await targets.everywhere(tx))
        await delivery.revise(tx, `${KEY}${approval.id}@${channel.id}:${chat}`, `${cardHead(approval)}\n\n${answerLine(approval)}`);
    });
  bus.subscribe('approval.asked', show, signal);
  bus.subscribe('channel.paired', showPending, signal);
  bus.subscribe('approval.answered', close, signal);
  bus.subscribe('approval.expired', close, signal);
  bus.subscribe('approval.withdrawn', close, signal);
  await showPending();
}

/**
 * A button was pressed on the message of this key; returns a word for the moment. Of a card whose sending a crash cut off nobody knows the
 * message, so the button says itself what it answers, as a person would: "yes K7QF".
 */
export async function answerButton(
  { approvals, factor }: { readonly approvals: Pick<Approvals, 'answer' | 'answerText'>; readonly factor: Pick<FactorPort, 'hasCodes'> },
  key: string | undefined,
  data: string,
  answering: Answering,
): Promise<string> {
  const [option = ''] = data.split(' ');
  const id = key?.startsWith(KEY) ? key.slice(KEY.length, key.lastIndexOf('@')) : null;
  try {
    const answered = id === null ? await approvals.answerText(data, answering) : await approvals.answer(id, option, answering);
    return answered ? plainLine(answered) : 'This button is out of date.';
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const byCode = error.code === 'policy.factor_needed' && (await factor.hasCodes());
    return byCode ? 'To confirm, send the six digits of your authenticator app.' : error.message;
  }
}

/** How a question ended, in a line. */
export function answerLine(approval: Approval): string {
  const { status, options, answer, answeredBy, via, title } = approval;
  if (status !== 'answered') return `**${title}**: ${status}.`;
  return `**${title}**: ${options.find(({ id }) => id === answer)?.label ?? answer}, by ${answeredBy === 'owner' ? 'you' : answeredBy} via ${via}.`;
}

function plainLine({ options, answer }: Approval): string {
  return `Answered: ${options.find(({ id }) => id === answer)?.label ?? answer}`;
}

/** How a chat can prove a second factor: it need not, by a code, or not at all. */
type Proof = 'none' | 'code' | 'elsewhere';

/** What is answered by a code has no button for it: only those that refuse. */
function buttonsOf(approval: Approval, proof: Proof): Button[] {
  return chatOptions(approval, proof).map(({ id, label }) => ({ label, data: id.length > LONGEST_ID ? id : `${id} ${approval.code}` }));
}

/** What a chat may choose: a lasting grant is made in the browser or on the command line, with the second factor. */
function chatOptions(approval: Approval, proof: Proof): readonly ApprovalOption[] {
  return proof === 'none' ? approval.options.filter((option) => !needsFactor(approval, option)) : approval.options.slice(1);
}

/** The details as a person reads them: of a question of policy, the way the text took. */
function detailsText({ kind, details }: Approval): string {
  if (details === null) return '';
  if (typeof details === 'string') return details;
  const read = kind === 'policy' ? WithPath.safeParse(details).data : undefined;
  if (!read) return JSON.stringify(details, null, 2);
  return read.path
    .filter(({ label }) => label !== 'owner')
    .map(({ label, from, via }) => `${label}: ${[from.join(', '), ...via].filter((each) => each !== '').join(' → ')}`)
    .join('\n');
}

const WithPath = z.object({ path: z.array(LabelPath) });

const PROOFS = {
  code: 'send me the six digits of your authenticator app.',
  elsewhere: 'only in the browser or on the command line, with your second factor.',
} as const;

function cardHead({ title, question }: Approval): string {
  return `**${title}**\n${question}`;
}

function cardText(approval: Approval, hasButtons: boolean, proof: Proof): string {
  const { code, options, expiresAt } = approval;
  const shown = detailsText(approval);
  const lasting = proof === 'none' ? options.find((option) => needsFactor(approval, option)) : undefined;
  const fence = '`'.repeat(Math.max(3, ...Array.from(shown.matchAll(/`+/g), ([ticks]) => ticks.length + 1)));
  const byText = chatOptions(approval, proof)
    .map(({ id }) => `\`${id} ${code}\``)
    .join(' or ');
  const how = `${hasButtons ? 'Or answer' : 'Answer'} ${byText}`;
  return [
    cardHead(approval),
    ...(shown === '' ? [] : [`${fence}\n${shown.slice(0, DETAILS_SHOWN)}\n${fence}`]),
    ...(proof === 'none' ? [] : [`**${options[0]!.label}**: ${PROOFS[proof]}`]),
    ...(lasting ? [`**${lasting.label}**: ${PROOFS.elsewhere}`] : []),
    `${how}${expiresAt === null ? '' : ` until ${expiresAt.slice(0, 16).replace('T', ' ')} UTC`}.`,
  ].join('\n');
}
