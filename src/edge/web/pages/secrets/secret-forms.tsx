import { useState, type FormEvent, type ReactNode } from 'react';
import { describeSecret, listSecrets, putSecret, removeSecret, rotateSecret } from '#vault/contract';
import { useAction } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
import { secretWords } from '../../strings/secrets.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Field } from '../../ui/field.tsx';
import type { ListedSecret } from './secret-table.tsx';

const w = secretWords;
const REFRESH = { quiet: true, refresh: [listSecrets] } as const;

interface FormProps {
  readonly error: unknown;
  readonly busy: boolean;
  readonly submit: string;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** Fields, what went wrong, and two buttons; longer than a phone it scrolls. */
export function DialogForm({ error, busy, submit, onSubmit, onClose, children }: FormProps) {
  function send(event: FormEvent): void {
    event.preventDefault();
    onSubmit();
  }
  return (
    <form onSubmit={send} className="space-y-4">
      {children}
      {error !== null && <ErrorBox error={error} />}
      <div className="flex justify-end gap-2 pt-1">
        <Button look="quiet" onClick={onClose}>
          {t.action.cancel}
        </Button>
        <Button type="submit" look="primary" busy={busy}>
          {submit}
        </Button>
      </div>
    </form>
  );
}

interface Said {
  readonly scope: string;
  readonly hosts: string;
  readonly description: string;
  /** A day, as the field has it. */
  readonly expires: string;
}

function About({ said, onChange }: { readonly said: Said; readonly onChange: (said: Said) => void }) {
  const set = (field: keyof Said) => (event: { target: { value: string } }) => onChange({ ...said, [field]: event.target.value });
  return (
    <>
      <Field label={w.fields.description} value={said.description} onChange={set('description')} maxLength={500} />
      <Field label={w.fields.scope} hint={w.fields.scopeHint} value={said.scope} onChange={set('scope')} spellCheck={false} required />
      <Field label={w.fields.hosts} hint={w.fields.hostsHint} value={said.hosts} onChange={set('hosts')} spellCheck={false} />
      <Field label={w.fields.expires} hint={w.fields.expiresHint} type="date" value={said.expires} onChange={set('expires')} />
    </>
  );
}

const asInput = ({ expires, ...rest }: Said) => ({
  ...rest,
  expiresAt: expires === '' ? null : new Date(`${expires}T00:00:00`).toISOString(),
});

/** A value is typed once and never comes back: not into the field either, when it was refused. */
export function AddSecret({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const [said, setSaid] = useState<Said>({ scope: 'any', hosts: '', description: '', expires: '' });
  const put = useAction(putSecret, { ...REFRESH, done: ({ name: sealed }) => w.sealed(sealed) });
  return (
    <Dialog open onClose={onClose} title={w.add}>
      <DialogForm
        error={put.error}
        busy={put.isPending}
        submit={w.seal}
        onClose={onClose}
        onSubmit={() => put.mutate({ name, value, ...asInput(said) }, { onSuccess: onClose, onError: () => setValue('') })}
      >
        <Field
          label={w.fields.name}
          hint={w.fields.nameHint}
          value={name}
          onChange={(event) => setName(event.target.value)}
          spellCheck={false}
          required
        />
        <Field
          label={w.fields.value}
          type="password"
          autoComplete="off"
          value={value}
          onChange={(event) => setValue(event.target.value)}
          required
        />
        <About said={said} onChange={setSaid} />
      </DialogForm>
    </Dialog>
  );
}

export function RotateSecret({ name, onClose }: { readonly name: string; readonly onClose: () => void }) {
  const [value, setValue] = useState('');
  const rotate = useAction(rotateSecret, { ...REFRESH, done: w.rotated(name) });
  return (
    <Dialog open onClose={onClose} title={w.rotateTitle(name)} text={w.rotateText}>
      <DialogForm
        error={rotate.error}
        busy={rotate.isPending}
        submit={w.rotate}
        onClose={onClose}
        onSubmit={() => rotate.mutate({ name, value }, { onSuccess: onClose, onError: () => setValue('') })}
      >
        <Field
          label={w.fields.newValue}
          type="password"
          autoComplete="off"
          value={value}
          onChange={(event) => setValue(event.target.value)}
          required
        />
      </DialogForm>
    </Dialog>
  );
}

export function EditSecret({ secret, onClose }: { readonly secret: ListedSecret; readonly onClose: () => void }) {
  const { name, scope, hosts, description, expiresAt } = secret;
  const [said, setSaid] = useState<Said>({ scope, hosts, description, expires: expiresAt?.slice(0, 10) ?? '' });
  const edit = useAction(describeSecret, { ...REFRESH, done: w.edited(name) });
  return (
    <Dialog open onClose={onClose} title={w.editTitle(name)}>
      <DialogForm
        error={edit.error}
        busy={edit.isPending}
        submit={w.save}
        onClose={onClose}
        onSubmit={() => edit.mutate({ name, ...asInput(said) }, { onSuccess: onClose })}
      >
        <About said={said} onChange={setSaid} />
      </DialogForm>
    </Dialog>
  );
}

export function RemoveSecret({ secret: { name, usedBy }, onClose }: { readonly secret: ListedSecret; readonly onClose: () => void }) {
  const remove = useAction(removeSecret, { ...REFRESH, done: w.removed(name) });
  const text = usedBy.length > 0 ? `${w.removeUsed(usedBy.join(', '))} ${w.removeText}` : w.removeText;
  return (
    <Dialog open onClose={onClose} title={w.removeTitle(name)} text={text}>
      <DialogForm
        error={remove.error}
        busy={remove.isPending}
        submit={w.remove}
        onClose={onClose}
        onSubmit={() => remove.mutate({ name, ...(usedBy.length > 0 && { force: 'true' as const }) }, { onSuccess: onClose })}
      >
        {null}
      </DialogForm>
    </Dialog>
  );
}
