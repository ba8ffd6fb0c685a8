import { Copy, LifeBuoy } from 'lucide-react';
import { getFactors, newRecoveryCodes, type FactorState } from '#owner/contract';
import { useAction } from '../../api/use-endpoint.ts';
import { securityWords } from '../../strings/security.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { useToast } from '../../ui/toast.tsx';
import { Row } from './row.tsx';

export function Recovery({ codes }: { readonly codes: FactorState['recoveryCodes'] }) {
  const make = useAction(newRecoveryCodes, { refresh: [getFactors] });
  return (
    <Row
      icon={LifeBuoy}
      title={
        <>
          {securityWords.recovery}
          {codes && codes.left <= 3 && <Badge tone="warn">{codes.left}</Badge>}
        </>
      }
      text={codes === null ? securityWords.recoveryNone : securityWords.recoveryLeft(codes.left)}
      actions={
        codes !== null && (
          <Button size="small" busy={make.isPending} onClick={() => make.mutate({})}>
            {securityWords.recoveryNew}
          </Button>
        )
      }
    >
      {make.data && <RecoveryCodes codes={make.data.recoveryCodes} onClose={() => make.reset()} />}
    </Row>
  );
}

/** Shown this once. */
export function RecoveryCodes({ codes, onClose }: { readonly codes: readonly string[]; readonly onClose: () => void }) {
  const toast = useToast();

  async function copy(): Promise<void> {
    await navigator.clipboard.writeText(codes.join('\n')).then(
      () => toast.good(securityWords.recoveryCopied),
      () => {}, // a page without permission: the codes can be selected
    );
  }

  return (
    <Dialog open onClose={onClose} title={securityWords.recoveryTitle} text={securityWords.recoveryText}>
      <ol className="grid gap-x-6 gap-y-1.5 rounded-control bg-sunken p-4 font-mono text-sm select-all sm:grid-cols-2">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ol>
      <div className="mt-5 flex justify-end gap-2">
        <Button onClick={() => void copy()}>
          <Copy aria-hidden className="size-4" />
          {securityWords.recoveryCopy}
        </Button>
        <Button look="primary" onClick={onClose}>
          {securityWords.recoverySaved}
        </Button>
      </div>
    </Dialog>
  );
}
