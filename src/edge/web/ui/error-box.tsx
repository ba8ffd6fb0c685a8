import { CircleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { messageOf, reportId } from '../api/message.ts';
import { t } from '../strings.ts';
import { Button } from './button.tsx';

interface ErrorBoxProps {
  /** Whatever was thrown, or the words themselves. */
  readonly error: unknown;
  readonly onRetry?: () => void;
  readonly children?: ReactNode;
}

export function ErrorBox({ error, onRetry, children }: ErrorBoxProps) {
  const id = reportId(error);
  return (
    <div role="alert" className="flex gap-3 rounded-control border border-bad/25 bg-bad-soft p-4">
      <CircleAlert aria-hidden className="mt-0.5 size-5 shrink-0 text-bad" />
      <div className="min-w-0 flex-1">
        <p className="wrap-anywhere">{typeof error === 'string' ? error : messageOf(error)}</p>
        {id !== null && <p className="mt-1 text-[0.8125rem] text-ink-soft">{t.error.reference(id)}</p>}
        {children}
        {onRetry && (
          <Button size="small" className="mt-3" onClick={onRetry}>
            {t.action.tryAgain}
          </Button>
        )}
      </div>
    </div>
  );
}
