import { Link } from '@tanstack/react-router';
import { Pin } from 'lucide-react';
import { listConversations } from '#agents/contract';
import { usePages } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
import { chatWords } from '../../strings/chat.ts';
import { Button } from '../../ui/button.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';

const PAGE_SIZE = 50;

/** The conversations, latest first, those of channels among them. */
export function ConversationList() {
  const pages = usePages(listConversations, { limit: PAGE_SIZE });
  if (pages.error && pages.items.length === 0) return <ErrorBox error={pages.error} onRetry={() => void pages.refetch()} />;
  if (pages.isPending) return <Skeleton lines={6} />;
  if (pages.items.length === 0) return <p className="px-3 text-[0.8125rem] text-ink-soft">{chatWords.none}</p>;
  return (
    <>
      <ul className="space-y-0.5">
        {pages.items.map(({ id, title, channel, pinned, updatedAt }) => (
          <li key={id}>
            <Link to="/chat/$id" params={{ id }} className="block rounded-control px-3 py-2 hover:bg-sunken aria-[current=page]:bg-sunken">
              <span className="flex items-center gap-1.5">
                {pinned && <Pin role="img" aria-label={chatWords.pinned} className="size-3.5 shrink-0 text-ink-faint" />}
                <span className="truncate">{title || chatWords.untitled}</span>
              </span>
              <span className="flex gap-2 text-xs text-ink-faint">
                <Time at={updatedAt} />
                {channel !== null && <span>{channel}</span>}
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {pages.hasNextPage && (
        <Button
          size="small"
          look="quiet"
          className="mt-2 w-full"
          busy={pages.isFetchingNextPage}
          onClick={() => void pages.fetchNextPage()}
        >
          {t.action.more}
        </Button>
      )}
    </>
  );
}
