import { LockKeyhole } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { listSessions, setPassword } from '#owner/contract';
import { messageOf } from '../../api/message.ts';
import { useAction } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Row } from './row.tsx';

export function Password() {
  const [isOpen, setOpen] = useState(false);
  return (
    <Row
      icon={LockKeyhole}
      title={t.security.password}
      text={t.security.passwordText}
      actions={
        <Button size="small" onClick={() => setOpen(true)}>
          {t.security.change}
        </Button>
      }
    >
      {isOpen && <Change onClose={() => setOpen(false)} />}
    </Row>
  );
}

function Change({ onClose }: { readonly onClose: () => void }) {
  const [current, setCurrent] = useState('');
  const [password, setNext] = useState('');
  const save = useAction(setPassword, { quiet: true, done: t.security.passwordDone, refresh: [listSessions] });

  function submit(event: FormEvent): void {
    event.preventDefault();
    save.mutate({ password, current }, { onSuccess: onClose });
  }

  return (
    <Dialog open onClose={onClose} title={t.security.password} text={t.security.passwordText}>
      <form onSubmit={submit} className="space-y-4">
        <Field
          label={t.security.current}
          type="password"
          autoComplete="current-password"
          autoFocus
          required
          value={current}
          onChange={(event) => setCurrent(event.target.value)}
        />
        <Field
          label={t.security.next}
          type="password"
          autoComplete="new-password"
          required
          minLength={10}
          value={password}
          onChange={(event) => setNext(event.target.value)}
          hint={t.password.advice}
          error={save.error && !save.isPending ? messageOf(save.error) : null}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t.action.cancel}</Button>
          <Button type="submit" look="primary" busy={save.isPending}>
            {t.security.change}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
