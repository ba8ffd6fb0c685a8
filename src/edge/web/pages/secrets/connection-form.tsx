import { useState } from 'react';
import { listConnections, putConnection } from '#vault/contract';
import { useAction } from '../../api/use-endpoint.ts';
import { secretWords } from '../../strings/secrets.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { DialogForm } from './secret-forms.tsx';

const w = secretWords.service;
const EMPTY = {
  name: '',
  tokenUrl: '',
  authorizeUrl: '',
  deviceUrl: '',
  revokeUrl: '',
  clientId: '',
  clientSecret: '',
  scopes: '',
  hosts: '',
};
const OPTIONAL = ['authorizeUrl', 'deviceUrl', 'revokeUrl', 'clientSecret'] as const;

/** Describes a service that gives access by OAuth. */
export function AddConnection({ onClose }: { readonly onClose: () => void }) {
  const [form, setForm] = useState(EMPTY);
  const put = useAction(putConnection, { quiet: true, done: ({ name }) => w.saved(name), refresh: [listConnections] });
  const field = (name: keyof typeof EMPTY) => ({
    label: name === 'hosts' ? secretWords.fields.hosts : w[name],
    value: form[name],
    spellCheck: false,
    autoComplete: 'off',
    onChange: (event: { target: { value: string } }) => setForm({ ...form, [name]: event.target.value }),
  });

  function save(): void {
    const given = Object.fromEntries(OPTIONAL.flatMap((name) => (form[name] === '' ? [] : [[name, form[name]]])));
    const client = { tokenUrl: form.tokenUrl, clientId: form.clientId, scopes: form.scopes.split(/\s+/).filter(Boolean), ...given };
    put.mutate({ name: form.name, client, hosts: form.hosts }, { onSuccess: onClose });
  }

  return (
    <Dialog open onClose={onClose} title={w.title} text={w.redirect(`${location.origin}/connections/callback`)}>
      <DialogForm error={put.error} busy={put.isPending} submit={secretWords.save} onClose={onClose} onSubmit={save}>
        <Field {...field('name')} hint={secretWords.fields.nameHint} required />
        <Field {...field('authorizeUrl')} type="url" hint={w.optional} />
        <Field {...field('tokenUrl')} type="url" required />
        <Field {...field('deviceUrl')} type="url" hint={w.optional} />
        <Field {...field('revokeUrl')} type="url" hint={w.optional} />
        <Field {...field('clientId')} required />
        <Field {...field('clientSecret')} hint={w.clientSecretHint} />
        <Field {...field('scopes')} hint={w.scopesHint} />
        <Field {...field('hosts')} hint={secretWords.fields.hostsHint} />
      </DialogForm>
    </Dialog>
  );
}
