import { Ban, Pause, Play, RotateCcw } from 'lucide-react';
import { useState } from 'react';
import { cancelRun, getRun, isOver, pauseRun, resumeRun, retryRun, type RunSummary } from '#runs/contract';
import { useAction } from '../../api/use-endpoint.ts';
import { runWords } from '../../strings/runs.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';

/** What the owner may do with a run in its state. */
export function RunActions({ run: { id, status } }: { readonly run: RunSummary }) {
  const [isAsking, setAsking] = useState(false);
  const refresh = [getRun];
  const pause = useAction(pauseRun, { done: runWords.done.pause, refresh });
  const resume = useAction(resumeRun, { done: runWords.done.resume, refresh });
  const retry = useAction(retryRun, { done: runWords.done.retry, refresh });
  const cancel = useAction(cancelRun, { done: runWords.done.cancel, refresh });

  return (
    <div className="flex flex-wrap gap-2">
      {(status === 'failed' || status === 'cancelled') && (
        <Button look="primary" busy={retry.isPending} onClick={() => retry.mutate({ id })}>
          <RotateCcw aria-hidden className="size-4" />
          {runWords.retry}
        </Button>
      )}
      {status === 'paused' && (
        <Button look="primary" busy={resume.isPending} onClick={() => resume.mutate({ id })}>
          <Play aria-hidden className="size-4" />
          {runWords.resume}
        </Button>
      )}
      {!isOver(status) && status !== 'paused' && (
        <Button busy={pause.isPending} onClick={() => pause.mutate({ id })}>
          <Pause aria-hidden className="size-4" />
          {runWords.pause}
        </Button>
      )}
      {!isOver(status) && (
        <Button look="danger" onClick={() => setAsking(true)}>
          <Ban aria-hidden className="size-4" />
          {runWords.cancel}
        </Button>
      )}
      <Dialog open={isAsking} onClose={() => setAsking(false)} title={runWords.cancelTitle} text={runWords.cancelText}>
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={() => setAsking(false)}>{runWords.cancelNo}</Button>
          <Button
            look="danger"
            busy={cancel.isPending}
            onClick={() =>
              void cancel.mutateAsync({ id }).then(
                () => setAsking(false),
                () => setAsking(false),
              )
            }
          >
            {runWords.cancelYes}
          </Button>
        </div>
      </Dialog>
    </div>
  );
}
