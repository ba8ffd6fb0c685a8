import { LockKeyhole } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { listSessions, setPassword } from '#owner/contract';
import { messageOf } from '../../api/message.ts';
import { useAction } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
import { passwordWords } from '../../strings/login.ts';
import { securityWords } from '../../strings/security.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Row } from './row.tsx';

export function Password() {
  const [isOpen, setOpen] = useState(false);
  return (
    <Row
      icon={LockKeyhole}
      title={securityWords.password}
      text={securityWords.passwordText}
      actions={
        <Button size="small" onClick={() => setOpen(true)}>
          {securityWords.change}
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
  const save = useAction(setPassword, { quiet: true, done: securityWords.passwordDone, refresh: [listSessions] });

  function submit(event: FormEvent): void {
    event.preventDefault();
    save.mutate({ password, current }, { onSuccess: onClose });
  }

  return (
    <Dialog open onClose={onClose} title={securityWords.password} text={securityWords.passwordText}>
      <form onSubmit={submit} className="space-y-4">
        <Field
          label={securityWords.current}
          type="password"
          autoComplete="current-password"
          autoFocus
          required
          value={current}
          onChange={(event) => setCurrent(event.target.value)}
        />
        <Field
          label={securityWords.next}
          type="password"
          autoComplete="new-password"
          required
          minLength={10}
          value={password}
          onChange={(event) => setNext(event.target.value)}
          hint={passwordWords.advice}
          error={save.error && !save.isPending ? messageOf(save.error) : null}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t.action.cancel}</Button>
          <Button type="submit" look="primary" busy={save.isPending}>
            {securityWords.change}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
