import { useState, type FormEvent } from 'react';
import { issueCertificate, listCertificates, type IssuedCertificate } from '#doors/contract';
import { messageOf } from '../../api/message.ts';
import { useAction } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
import { doorsWords } from '../../strings/system.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { saveFile } from '../../ui/save-file.ts';

/** Asks whom it is for, then hands out the bundle and its password, once. */
export function NewCertificate({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const issue = useAction(issueCertificate, { quiet: true, refresh: [listCertificates] });

  function submit(event: FormEvent): void {
    event.preventDefault();
    issue.mutate({ name: name.trim() });
  }

  if (issue.data) return <Made issued={issue.data} onClose={onClose} />;
  return (
    <Dialog open onClose={onClose} title={doorsWords.newCertificate} text={doorsWords.newText}>
      <form onSubmit={submit} className="space-y-4">
        <Field
          label={doorsWords.forWhom}
          hint={doorsWords.forWhomHint}
          autoFocus
          required
          maxLength={63}
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={issue.error ? messageOf(issue.error) : null}
        />
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>{t.action.cancel}</Button>
          <Button type="submit" look="primary" busy={issue.isPending} disabled={name.trim() === ''}>
            {doorsWords.make}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Made({ issued: { certificate, p12, password }, onClose }: { readonly issued: IssuedCertificate; readonly onClose: () => void }) {
  const save = (): void =>
    saveFile(
      `${certificate.name}.p12`,
      Uint8Array.from(atob(p12), (letter) => letter.charCodeAt(0)),
      'application/x-pkcs12',
    );
  return (
    <Dialog open onClose={onClose} title={doorsWords.made(certificate.name)} text={doorsWords.madeText}>
      <p className="mb-1.5 text-[0.8125rem] font-medium">{doorsWords.bundlePassword}</p>
      <p className="rounded-control bg-sunken p-3.5 font-mono wrap-anywhere select-all">{password}</p>
      <div className="mt-5 flex flex-wrap justify-end gap-2">
        <Button look="primary" onClick={save}>
          {doorsWords.download}
        </Button>
        <Button onClick={onClose}>{t.action.close}</Button>
      </div>
    </Dialog>
  );
}
