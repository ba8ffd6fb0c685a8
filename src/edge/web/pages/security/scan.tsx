import { useId, useState, type FormEvent } from 'react';
import { scanText, type ScanResult } from '#vault/contract';
import { messageOf } from '../../api/message.ts';
import { useAction } from '../../api/use-endpoint.ts';
import { scanWords } from '../../strings/security.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { cutText } from './cut-text.ts';

/** From here a text is said to give orders. */
const FLAGGED = 0.5;

/** A text pasted to see what is in it: secrets, and orders to a model. */
export function Scan() {
  const id = useId();
  const [text, setText] = useState('');
  const scan = useAction(scanText, { quiet: true });
  const [found, setFound] = useState<{ readonly text: string; readonly result: ScanResult } | null>(null);

  function submit(event: FormEvent): void {
    event.preventDefault();
    scan.mutate({ text }, { onSuccess: (result) => setFound({ text, result }) });
  }

  return (
    <Card title={scanWords.title} aside={scanWords.aside}>
      <form onSubmit={submit} className="space-y-3">
        <label htmlFor={id} className="block text-[0.8125rem] font-medium">
          {scanWords.field}
        </label>
        <textarea
          id={id}
          rows={4}
          value={text}
          maxLength={1_000_000}
          spellCheck={false}
          autoComplete="off"
          onChange={(event) => setText(event.target.value)}
          className="field-sizing-content max-h-72 min-h-24 w-full resize-y rounded-control border border-line-strong bg-surface px-3 py-2 font-mono text-sm text-ink"
        />
        <div className="flex flex-wrap items-center gap-3">
          <Button type="submit" look="primary" busy={scan.isPending} disabled={text.trim() === ''}>
            {scanWords.submit}
          </Button>
          {found && (
            <Button
              look="quiet"
              onClick={() => {
                setFound(null);
                setText('');
              }}
            >
              {scanWords.clear}
            </Button>
          )}
        </div>
        <p role="alert" className="text-[0.8125rem] text-bad empty:hidden">
          {scan.error && messageOf(scan.error)}
        </p>
      </form>
      <div aria-live="polite">{found && <Found {...found} />}</div>
    </Card>
  );
}

function Found({ text, result: { secrets, injection } }: { readonly text: string; readonly result: ScanResult }) {
  const percent = Math.round(injection.score * 100);
  return (
    <div className="mt-4 space-y-3 border-t border-line pt-4">
      <div className="flex flex-wrap gap-2">
        <Badge tone={secrets.length === 0 ? 'good' : 'bad'}>{scanWords.secrets(secrets.length)}</Badge>
        <Badge tone={injection.score < FLAGGED ? 'good' : 'warn'}>{scanWords.orders(percent)}</Badge>
      </div>
      {secrets.length > 0 && (
        <pre
          tabIndex={0}
          className="max-h-72 overflow-auto rounded-control bg-sunken p-3 font-mono text-sm break-words whitespace-pre-wrap"
        >
          {cutText(text, secrets).map((piece, at) =>
            piece.provider === null ? (
              piece.text
            ) : (
              <mark key={at} title={piece.provider} className="rounded-sm bg-bad-soft px-1 text-bad">
                {piece.text} <span className="text-xs">{piece.provider}</span>
              </mark>
            ),
          )}
        </pre>
      )}
      {injection.reasons.length > 0 && (
        <ul className="list-disc pl-5 text-[0.8125rem] text-ink-soft">
          {injection.reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
      {secrets.length > 0 && <p className="text-[0.8125rem] text-ink-soft">{scanWords.advice}</p>}
    </div>
  );
}
