import { useState, type FormEvent } from 'react';
import { getFactors, renamePasskey, type PasskeyInfo } from '#owner/contract';
import { messageOf } from '../../api/message.ts';
import { useAction } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
import { securityWords } from '../../strings/security.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';

/** Another name for a passkey. */
export function Rename({ passkey, onClose }: { readonly passkey: PasskeyInfo; readonly onClose: () => void }) {
  const [name, setName] = useState(passkey.name);
  const rename = useAction(renamePasskey, { quiet: true, refresh: [getFactors] });

  function submit(event: FormEvent): void {
    event.preventDefault();
    rename.mutate({ id: passkey.id, name }, { onSuccess: onClose });
  }

  return (
    <Dialog open onClose={onClose} title={securityWords.rename}>
      <form onSubmit={submit} className="space-y-5">
        <Field
          label={securityWords.passkeyName}
          autoFocus
          required
          maxLength={60}
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={rename.error && !rename.isPending ? messageOf(rename.error) : null}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t.action.cancel}</Button>
          <Button type="submit" look="primary" busy={rename.isPending} disabled={name.trim() === ''}>
            {securityWords.rename}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
