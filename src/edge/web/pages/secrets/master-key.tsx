import { useState } from 'react';
import { rotateMasterKey } from '#vault/contract';
import { useAction } from '../../api/use-endpoint.ts';
import { secretWords } from '../../strings/secrets.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { DialogForm } from './secret-forms.tsx';

const w = secretWords.key;

export function MasterKey() {
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="flex flex-wrap items-center justify-between gap-3">
      <p className="max-w-prose text-ink-soft">{w.text}</p>
      <Button onClick={() => setOpen(true)}>{w.change}</Button>
      {isOpen && <ChangeKey onClose={() => setOpen(false)} />}
    </div>
  );
}

function ChangeKey({ onClose }: { readonly onClose: () => void }) {
  const [to, setTo] = useState<'file' | 'passphrase'>('file');
  const [old, setOld] = useState<'keep' | 'destroy'>('destroy');
  const [passphrase, setPassphrase] = useState('');
  const change = useAction(rotateMasterKey, { quiet: true, done: ({ resealed }) => w.done(resealed) });
  return (
    <Dialog open onClose={onClose} title={w.change} text={w.text}>
      <DialogForm
        error={change.error}
        busy={change.isPending}
        submit={w.change}
        onClose={onClose}
        onSubmit={() => change.mutate({ to, old, ...(to === 'passphrase' && { key: passphrase }) }, { onSuccess: onClose })}
      >
        <Choice label={w.to} name="to" value={to} onChoose={setTo} options={{ file: w.file, passphrase: w.passphrase }} />
        {to === 'passphrase' && (
          <Field
            label={w.passphraseField}
            hint={w.passphraseHint}
            type="password"
            autoComplete="new-password"
            value={passphrase}
            onChange={(event) => setPassphrase(event.target.value)}
            required
          />
        )}
        <Choice label={w.old} name="old" value={old} onChoose={setOld} options={{ destroy: w.destroy, keep: w.keep }} />
      </DialogForm>
    </Dialog>
  );
}

interface ChoiceProps<V extends string> {
  readonly label: string;
  readonly name: string;
  readonly value: V;
  readonly options: Readonly<Record<V, string>>;
  readonly onChoose: (value: V) => void;
}

function Choice<V extends string>({ label, name, value, options, onChoose }: ChoiceProps<V>) {
  return (
    <fieldset>
      <legend className="mb-1.5 text-[0.8125rem] font-medium">{label}</legend>
      {(Object.entries(options) as [V, string][]).map(([key, text]) => (
        <label key={key} className="flex min-h-9 items-center gap-2.5">
          <input type="radio" name={name} checked={value === key} onChange={() => onChoose(key)} className="size-4 accent-(--accent)" />
          {text}
        </label>
      ))}
    </fieldset>
  );
}
