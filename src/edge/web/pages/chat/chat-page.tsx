import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { ArrowLeft, SquarePen } from 'lucide-react';
import { addConversation, getConversation, listConversations } from '#agents/contract';
import { useApi } from '../../api/api.ts';
import { messageOf } from '../../api/message.ts';
import { keyOf } from '../../api/query.ts';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { PageHead } from '../../shell/page-head.tsx';
import { chatWords } from '../../strings/chat.ts';
import { buttonClass } from '../../ui/button.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { useToast } from '../../ui/toast.tsx';
import { Composer } from './composer.tsx';
import { ConversationList } from './conversation-list.tsx';
import { send } from './send.ts';
import { Thread } from './thread.tsx';

/** A new conversation; on a phone the list of them comes with it. */
export function ChatPage() {
  return (
    <div className="flex flex-col gap-8 lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
      <Conversations className="max-lg:order-2" />
      <div className="lg:pt-[16vh]">
        <PageHead title={chatWords.title} text={chatWords.text} />
        <NewConversation />
      </div>
    </div>
  );
}

/** One conversation. */
export function ConversationPage() {
  const { id } = useParams({ from: '/chat/$id' });
  const conversation = useEndpoint(getConversation, { id });
  return (
    <div className="gap-8 lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
      <Conversations className="max-lg:hidden" />
      <div className="mx-auto -mb-12 flex min-h-[calc(100dvh-8.5rem)] w-full max-w-3xl min-w-0 flex-col md:-mb-16 md:min-h-[calc(100dvh-2.25rem)]">
        <Link
          to="/chat"
          className="mb-3 inline-flex items-center gap-1.5 self-start rounded text-[0.8125rem] text-ink-soft hover:text-ink lg:hidden"
        >
          <ArrowLeft aria-hidden className="size-4" />
          {chatWords.all}
        </Link>
        {conversation.error && !conversation.data ? (
          <ErrorBox error={conversation.error} onRetry={() => void conversation.refetch()} />
        ) : (
          <>
            <PageHead small title={conversation.data?.title || chatWords.untitled} />
            <Thread key={id} id={id} />
          </>
        )}
      </div>
    </div>
  );
}

function Conversations({ className }: { readonly className: string }) {
  return (
    <nav
      aria-label={chatWords.all}
      className={`${className} lg:sticky lg:top-9 lg:max-h-[calc(100dvh-4.5rem)] lg:self-start lg:overflow-y-auto`}
    >
      <Link to="/chat" className={`${buttonClass('plain', 'small')} mb-3 w-full max-lg:hidden`}>
        <SquarePen aria-hidden className="size-4" />
        {chatWords.new}
      </Link>
      <h2 className="mb-2 px-3 font-semibold lg:hidden">{chatWords.all}</h2>
      <ConversationList />
    </nav>
  );
}

function NewConversation() {
  const { client, queries } = useApi();
  const toast = useToast();
  const navigate = useNavigate();

  async function begin(text: string): Promise<void> {
    try {
      const { id } = await client.call(addConversation, {});
      await send(client, id, text);
      void queries.invalidateQueries({ queryKey: keyOf(listConversations) });
      await navigate({ to: '/chat/$id', params: { id } });
    } catch (error) {
      toast.bad(messageOf(error));
      throw error;
    }
  }

  return <Composer onSend={begin} />;
}
