import { Toast } from '@base-ui/react/toast';
import { CircleAlert, CircleCheck, X } from 'lucide-react';
import { useMemo, type ReactNode } from 'react';
import { t } from '../strings.ts';

/** Short words about something that just happened. */
export function useToast(): { good(text: string): void; bad(text: string): void } {
  const { add } = Toast.useToastManager();
  return useMemo(
    () => ({
      good: (text) => void add({ title: text, type: 'good', timeout: 4_000 }),
      bad: (text) => void add({ title: text, type: 'bad', timeout: 9_000, priority: 'high' }),
    }),
    [add],
  );
}

export function ToastArea({ children }: { readonly children: ReactNode }) {
  return (
    <Toast.Provider limit={3}>
      {children}
      <Toast.Portal>
        <Toast.Viewport className="fixed inset-x-4 bottom-20 z-50 flex flex-col items-center gap-2 sm:inset-x-auto sm:right-6 sm:bottom-6 sm:items-end">
          <Toasts />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function Toasts() {
  const { toasts } = Toast.useToastManager();
  return toasts.map((toast) => (
    <Toast.Root key={toast.id} toast={toast} className="w-full max-w-sm rounded-control border border-line bg-surface p-3 shadow-high transition-opacity duration-150 data-ending-style:opacity-0 data-starting-style:opacity-0">
      <Toast.Content className="flex items-start gap-2.5">
        {toast.type === 'bad' ? <CircleAlert aria-hidden className="mt-0.5 size-4.5 shrink-0 text-bad" /> : <CircleCheck aria-hidden className="mt-0.5 size-4.5 shrink-0 text-good" />}
        <Toast.Title className="min-w-0 flex-1 wrap-anywhere" render={<p />} />
        <Toast.Close aria-label={t.action.close} className="-m-1 rounded p-1 text-ink-faint hover:text-ink">
          <X aria-hidden className="size-4" />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ));
}
