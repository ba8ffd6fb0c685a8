import { Smartphone } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { beginTotp, confirmTotp, getFactors, removeTotp, type FactorState } from '#owner/contract';
import { messageOf } from '../../api/message.ts';
import { useAction } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
import { securityWords } from '../../strings/security.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Time } from '../../ui/time.tsx';
import { Confirm } from './confirm.tsx';
import { RecoveryCodes } from './recovery.tsx';
import { Row } from './row.tsx';

export function Authenticator({ totp }: Pick<FactorState, 'totp'>) {
  const begin = useAction(beginTotp);
  const remove = useAction(removeTotp, { done: securityWords.appRemoved, refresh: [getFactors] });
  const [isRemoving, setRemoving] = useState(false);
  const [codes, setCodes] = useState<readonly string[] | null>(null);

  return (
    <Row
      icon={Smartphone}
      title={
        <>
          {securityWords.app}
          {totp && <Badge tone="good">{securityWords.inForce}</Badge>}
        </>
      }
      text={
        totp === null ? (
          securityWords.appNone
        ) : (
          <>
            <span>
              {securityWords.appSince} <Time at={totp.createdAt} />
            </span>
            {totp.lastUsedAt !== null && (
              <span>
                {securityWords.used} <Time at={totp.lastUsedAt} />
              </span>
            )}
          </>
        )
      }
      actions={
        <>
          <Button size="small" look={totp ? 'plain' : 'primary'} busy={begin.isPending} onClick={() => begin.mutate({})}>
            {totp ? securityWords.replace : securityWords.setUp}
          </Button>
          {totp && (
            <Button size="small" look="danger" busy={remove.isPending} onClick={() => setRemoving(true)}>
              {securityWords.remove}
            </Button>
          )}
        </>
      }
    >
      {begin.data && (
        <Enrol
          setup={begin.data}
          onClose={() => begin.reset()}
          onDone={(given) => {
            begin.reset();
            setCodes(given);
          }}
        />
      )}
      {isRemoving && (
        <Confirm
          title={securityWords.removeAppTitle}
          text={securityWords.removeText}
          action={securityWords.remove}
          onClose={() => setRemoving(false)}
          onConfirm={() => remove.mutate({})}
        />
      )}
      {codes && <RecoveryCodes codes={codes} onClose={() => setCodes(null)} />}
    </Row>
  );
}

interface EnrolProps {
  readonly setup: { readonly secret: string; readonly svg: string };
  readonly onClose: () => void;
  readonly onDone: (recoveryCodes: readonly string[] | null) => void;
}

/** The picture for the app, and the first code back. */
function Enrol({ setup: { secret, svg }, onClose, onDone }: EnrolProps) {
  const [code, setCode] = useState('');
  const confirm = useAction(confirmTotp, { quiet: true, done: securityWords.appDone, refresh: [getFactors] });

  function submit(event: FormEvent): void {
    event.preventDefault();
    confirm.mutate({ code: code.trim() }, { onSuccess: ({ recoveryCodes }) => onDone(recoveryCodes), onError: () => setCode('') });
  }

  return (
    <Dialog open onClose={onClose} title={securityWords.app} text={securityWords.scan}>
      <img
        src={`data:image/svg+xml;base64,${btoa(svg)}`}
        alt={securityWords.qrName}
        className="mx-auto size-48 rounded-control border border-line"
      />
      <p className="mt-3 text-center text-[0.8125rem] text-ink-soft">{securityWords.byHand}</p>
      <p className="mt-1 text-center font-mono text-sm tracking-wide wrap-anywhere select-all">{secret.match(/.{1,4}/g)?.join(' ')}</p>
      <form onSubmit={submit} className="mt-5 space-y-5">
        <Field
          label={securityWords.appCode}
          inputMode="numeric"
          autoComplete="one-time-code"
          autoFocus
          required
          value={code}
          onChange={(event) => setCode(event.target.value)}
          error={confirm.error && !confirm.isPending ? messageOf(confirm.error) : null}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t.action.cancel}</Button>
          <Button type="submit" look="primary" busy={confirm.isPending} disabled={code.trim() === ''}>
            {securityWords.confirm}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
