import { CircleAlert, CircleCheck, X } from 'lucide-react';
import { createContext, use, useCallback, useEffect, useMemo, useState, type ReactNode } from 'react';
import { t } from '../strings.ts';

interface Note {
  readonly id: number;
  readonly tone: 'good' | 'bad';
  readonly text: string;
}

/** Short words about something that just happened. */
export interface Toast {
  good(text: string): void;
  bad(text: string): void;
}

const LAST_MS = { good: 4_000, bad: 9_000 } as const;
const MOST = 3;

const ToastContext = createContext<Toast | null>(null);

export function useToast(): Toast {
  const toast = use(ToastContext);
  if (!toast) throw new Error('useToast is called outside ToastArea');
  return toast;
}

export function ToastArea({ children }: { readonly children: ReactNode }) {
  const [notes, setNotes] = useState<readonly Note[]>([]);
  const toast = useMemo((): Toast => {
    const add = (tone: Note['tone'], text: string): void =>
      setNotes((before) => [...before, { id: (before.at(-1)?.id ?? 0) + 1, tone, text }].slice(-MOST));
    return { good: (text) => add('good', text), bad: (text) => add('bad', text) };
  }, []);
  const drop = useCallback((id: number) => setNotes((before) => before.filter((note) => note.id !== id)), []);

  return (
    <ToastContext value={toast}>
      {children}
      <div
        role="status"
        aria-live="polite"
        className="pointer-events-none fixed inset-x-4 bottom-20 z-50 flex flex-col items-center gap-2 md:inset-x-auto md:right-6 md:bottom-6 md:items-end"
      >
        {notes.map((note) => (
          <ToastNote key={note.id} note={note} onGone={drop} />
        ))}
      </div>
    </ToastContext>
  );
}

function ToastNote({ note: { id, tone, text }, onGone }: { readonly note: Note; readonly onGone: (id: number) => void }) {
  const [isHeld, setHeld] = useState(false);
  useEffect(() => {
    if (isHeld) return; // somebody reads it
    const timer = setTimeout(() => onGone(id), LAST_MS[tone]);
    return () => clearTimeout(timer);
  }, [id, tone, isHeld, onGone]);
  const Icon = tone === 'bad' ? CircleAlert : CircleCheck;
  return (
    <div
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      className="pointer-events-auto flex w-full max-w-sm items-start gap-2.5 rounded-control border border-line bg-surface p-3 shadow-high"
    >
      <Icon aria-hidden className={`mt-0.5 size-4.5 shrink-0 ${tone === 'bad' ? 'text-bad' : 'text-good'}`} />
      <p className="min-w-0 flex-1 wrap-anywhere">{text}</p>
      <button
        type="button"
        aria-label={t.action.close}
        onClick={() => onGone(id)}
        className="-m-1 rounded p-1 text-ink-faint hover:text-ink"
      >
        <X aria-hidden className="size-4" />
      </button>
    </div>
  );
}
