import { ArrowUp, Square } from 'lucide-react';
import { useState, type FormEvent, type KeyboardEvent } from 'react';
import { chatWords } from '../../strings/chat.ts';
import { Button } from '../../ui/button.tsx';

interface ComposerProps {
  /** Rejects when it was not taken; the words then stay. */
  readonly onSend: (text: string) => Promise<void>;
  /** Given while an answer is being made. */
  readonly onStop?: (() => void) | undefined;
}

/** Where the owner writes: Enter sends, Shift with Enter begins a new line. */
export function Composer({ onSend, onStop }: ComposerProps) {
  const [text, setText] = useState('');
  const [isSending, setSending] = useState(false);
  const canSend = text.trim() !== '' && !isSending;

  async function submit(event?: FormEvent): Promise<void> {
    event?.preventDefault();
    if (!canSend) return;
    setSending(true);
    await onSend(text).then(
      () => setText(''),
      () => {},
    );
    setSending(false);
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void submit();
  }

  return (
    <form
      onSubmit={(event) => void submit(event)}
      className="flex items-end gap-2 rounded-card border border-line-strong bg-surface p-2 shadow-low focus-within:border-accent"
    >
      <textarea
        aria-label={chatWords.write}
        placeholder={chatWords.write}
        rows={1}
        value={text}
        autoFocus
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        className="field-sizing-content max-h-64 min-h-10 min-w-0 flex-1 resize-none bg-transparent px-2.5 py-2 text-base outline-none placeholder:text-ink-faint"
      />
      {onStop && text === '' ? (
        <Button size="icon" aria-label={chatWords.stop} title={chatWords.stop} onClick={onStop}>
          <Square aria-hidden className="size-4" />
        </Button>
      ) : (
        <Button type="submit" look="primary" size="icon" aria-label={chatWords.send} title={chatWords.send} disabled={!canSend}>
          <ArrowUp aria-hidden className="size-5" />
        </Button>
      )}
    </form>
  );
}
