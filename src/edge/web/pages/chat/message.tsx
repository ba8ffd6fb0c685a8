import { Link } from '@tanstack/react-router';
import { Wrench } from 'lucide-react';
import type { AnswerPart, Message } from '#agents/contract';
import { chatWords } from '../../strings/chat.ts';
import { Badge } from '../../ui/badge.tsx';
import { Data } from '../../ui/data.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Folded } from '../../ui/folded.tsx';
import { Markdown } from '../../ui/markdown.tsx';
import { Money } from '../../ui/money.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';

/** What the owner said. */
export function Said({ message }: { readonly message: Message }) {
  return (
    <article aria-label={chatWords.you} className="flex flex-col items-end">
      <Recalled message={message} />
      <p className="max-w-[85%] rounded-card rounded-br-sm bg-accent-soft px-4 py-2.5 wrap-anywhere whitespace-pre-wrap">{message.text}</p>
      <Time at={message.createdAt} className="mt-1 text-xs text-ink-faint" />
    </article>
  );
}

/** What came to mind with it, folded. */
function Recalled({ message: { context } }: { readonly message: Message }) {
  const recalled = context.filter(({ from }) => from !== undefined);
  if (recalled.length === 0) return null;
  return (
    <Folded title={chatWords.recalled(recalled.length)} className="mb-1 max-w-[85%]">
      {() => (
        <ul className="space-y-3 border-l-2 border-line pl-4 text-sm text-ink-soft">
          {recalled.map(({ text, labels = [], from }, at) => (
            <li key={at}>
              <p className="flex flex-wrap items-center gap-2 text-xs">
                {from?.kind === 'conversation' ? (
                  <Link to="/chat/$id" params={{ id: from.id }} className="rounded underline underline-offset-2 hover:text-accent">
                    {chatWords.recalledFrom.conversation}
                  </Link>
                ) : (
                  chatWords.recalledFrom.memory
                )}
                {labels.map((label) => (
                  <Badge key={label} tone="warn">
                    {label}
                  </Badge>
                ))}
              </p>
              <p className="wrap-anywhere whitespace-pre-wrap">{text}</p>
            </li>
          ))}
        </ul>
      )}
    </Folded>
  );
}

interface AnswerProps {
  readonly message: Message;
  /** What has come of it so far, while it grows. */
  readonly live: readonly AnswerPart[];
  /** Asks for another answer; only of the last one. */
  readonly onRetry?: (() => void) | undefined;
  /** Goes on from here in a conversation of its own. */
  readonly onFork: () => void;
}

/** What was answered, or has been of it so far. */
export function Answer({ message, live, onRetry, onFork }: AnswerProps) {
  const isGrowing = message.turn === 'queued' || message.turn === 'running';
  const parts =
    isGrowing && live.length > 0
      ? live
      : message.parts.length > 0
        ? message.parts
        : message.text
          ? [{ type: 'text' as const, text: message.text }]
          : [];
  return (
    <article aria-label={chatWords.answer} aria-busy={isGrowing} className="min-w-0">
      {parts.map((part, at) => (
        <Part key={at} part={part} isGrowing={isGrowing && at === parts.length - 1} />
      ))}
      {isGrowing && parts.length === 0 && (
        <div role="status" aria-label={chatWords.thinking}>
          <Skeleton lines={2} className="max-w-sm" />
        </div>
      )}
      {message.error && <ErrorBox error={message.error.message} {...(onRetry && { onRetry })} />}
      {!isGrowing && <Foot message={message} onFork={onFork} />}
    </article>
  );
}

function Part({ part, isGrowing }: { readonly part: AnswerPart; readonly isGrowing: boolean }) {
  switch (part.type) {
    case 'text':
      return <Markdown text={part.text} streaming={isGrowing} />;
    case 'reasoning':
      return (
        <Folded title={chatWords.reasoning}>
          {() => <p className="border-l-2 border-line pl-4 whitespace-pre-wrap text-ink-soft wrap-anywhere">{part.text}</p>}
        </Folded>
      );
    case 'tool_call':
      return (
        <Folded
          title={
            <>
              <Wrench aria-hidden className="size-3.5" /> {chatWords.used(part.name)}
            </>
          }
        >
          {() => <Data value={part.input} />}
        </Folded>
      );
    case 'tool_result':
      return (
        <Folded
          title={
            <span className={part.isError ? 'text-bad' : ''}>
              {part.isError ? chatWords.toolFailed(part.name) : chatWords.toolAnswered(part.name)}
            </span>
          }
        >
          {() => <Data value={part.output} />}
        </Folded>
      );
  }
}

function Foot({ message: { receipt, runId, turn, createdAt }, onFork }: Pick<AnswerProps, 'message' | 'onFork'>) {
  return (
    <p className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1 text-xs text-ink-faint">
      <Time at={createdAt} />
      {turn === 'cancelled' && <Badge>{chatWords.stopped}</Badge>}
      {receipt?.offline && <Badge tone="warn">{chatWords.offline}</Badge>}
      {receipt && !receipt.offline && <span>{receipt.model}</span>}
      {receipt && receipt.costUsd > 0 && <Money usd={receipt.costUsd} />}
      <Link to="/runs/$id" params={{ id: runId }} className="rounded underline-offset-2 hover:text-accent hover:underline">
        {chatWords.run}
      </Link>
      <button type="button" onClick={onFork} className="rounded underline-offset-2 hover:text-accent hover:underline">
        {chatWords.fork}
      </button>
    </p>
  );
}
