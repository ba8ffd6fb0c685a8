import { useNavigate } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { cancelTurns, forkConversation, getSummary, listConversations, listMessages, retryTurn, type Message } from '#agents/contract';
import { useApi } from '../../api/api.ts';
import { messageOf } from '../../api/message.ts';
import { keyOf } from '../../api/query.ts';
import { useAction, useEndpoint, usePages } from '../../api/use-endpoint.ts';
import { chatWords } from '../../strings/chat.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Folded } from '../../ui/folded.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { useToast } from '../../ui/toast.tsx';
import { Composer } from './composer.tsx';
import { Answer, Said } from './message.tsx';
import { send } from './send.ts';
import { useTurn } from './use-turn.ts';

const PAGE_SIZE = 50;

/** One conversation: its messages, the answer that grows, and where to write. */
export function Thread({ id }: { readonly id: string }) {
  const { client, queries } = useApi();
  const toast = useToast();
  const navigate = useNavigate();
  const pages = usePages(listMessages, { id, limit: PAGE_SIZE });
  const messages: readonly Message[] = pages.items.toReversed();
  const last = messages.at(-1);
  const growing = messages.find(({ turn }) => turn === 'running') ?? messages.find(({ turn }) => turn === 'queued');
  const live = useTurn(id, growing?.runId ?? null);
  const cancel = useAction(cancelTurns, { refresh: [listMessages] });
  useBottom(id, messages.length, live);

  /** Tells of a failure and fails, so that the words stay where they were written. */
  async function attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      toast.bad(messageOf(error));
      throw error;
    } finally {
      await queries.invalidateQueries({ queryKey: keyOf(listMessages) });
    }
  }

  async function fork(messageId: string): Promise<void> {
    const { id: copy } = await client.call(forkConversation, { id, messageId });
    void queries.invalidateQueries({ queryKey: keyOf(listConversations) });
    await navigate({ to: '/chat/$id', params: { id: copy } });
    toast.good(chatWords.forked);
  }

  async function retry(): Promise<void> {
    const leave = new AbortController();
    for await (const { data } of client.stream(retryTurn, { id }, { signal: leave.signal }))
      if (data.type === 'start' || data.type === 'end') break;
    leave.abort();
  }

  return (
    <div className="flex min-w-0 flex-1 flex-col">
      <div className="flex-1 space-y-6 pb-8">
        {pages.hasNextPage && (
          <div className="text-center">
            <Button size="small" busy={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
              {chatWords.earlier}
            </Button>
          </div>
        )}
        {pages.error && messages.length === 0 && <ErrorBox error={pages.error} onRetry={() => void pages.refetch()} />}
        {pages.isPending && <Skeleton lines={5} />}
        {pages.isSuccess && messages.length === 0 && <p className="pt-10 text-center text-ink-soft">{chatWords.empty}</p>}
        {messages.length > 0 && !pages.hasNextPage && <Summarised id={id} />}
        {messages.map((message) =>
          message.role === 'user' ? (
            <Said key={message.id} message={message} />
          ) : (
            <Answer
              key={message.id}
              message={message}
              live={message.id === growing?.id ? live : []}
              onFork={() => void attempt(() => fork(message.id)).catch(() => {})}
              onRetry={message === last ? () => void attempt(retry).catch(() => {}) : undefined}
            />
          ),
        )}
      </div>
      <div className="sticky bottom-16 -mx-4 bg-canvas px-4 pt-1 pb-3 md:bottom-0 md:mx-0 md:px-0 md:pb-6">
        <Composer onSend={(text) => attempt(() => send(client, id, text))} onStop={growing ? () => cancel.mutate({ id }) : undefined} />
      </div>
    </div>
  );
}

/** What the model reads in place of the oldest messages. */
function Summarised({ id }: { readonly id: string }) {
  const summary = useEndpoint(getSummary, { id }).data?.summary;
  if (!summary) return null;
  return (
    <Folded title={chatWords.summarised(summary.messages)}>
      {() => (
        <div className="border-l-2 border-line pl-4 text-sm text-ink-soft">
          {summary.offline && <Badge tone="warn">{chatWords.offline}</Badge>}
          <p className="wrap-anywhere whitespace-pre-wrap">{summary.text}</p>
        </div>
      )}
    </Folded>
  );
}

/** Keeps the end in view while it grows, unless the reader has gone up to read. */
function useBottom(id: string, count: number, live: readonly unknown[]): void {
  const seen = useRef('');
  useEffect(() => {
    const isNew = seen.current !== `${id} ${count}`;
    seen.current = `${id} ${count}`;
    const distance = document.documentElement.scrollHeight - innerHeight - scrollY;
    if (count > 0 && (isNew || distance < 160)) scrollTo({ top: document.documentElement.scrollHeight });
  }, [id, count, live]);
}
