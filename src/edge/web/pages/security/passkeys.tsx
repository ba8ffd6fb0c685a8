import { KeyRound } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { AppError } from '#core/errors';
import { addPasskey, beginPasskey, getFactors, removePasskey, type PasskeyInfo } from '#owner/contract';
import { useApi } from '../../api/api.ts';
import { messageOf } from '../../api/message.ts';
import { makePasskey } from '../../api/passkey.ts';
import { keyOf } from '../../api/query.ts';
import { useAction } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
import { securityWords } from '../../strings/security.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Time } from '../../ui/time.tsx';
import { useToast } from '../../ui/toast.tsx';
import { Confirm } from './confirm.tsx';
import { RecoveryCodes } from './recovery.tsx';
import { Rename } from './rename.tsx';
import { Row } from './row.tsx';

interface PasskeysProps {
  readonly passkeys: readonly PasskeyInfo[];
  /** What a new one would be bound to; null at a bare IP address. */
  readonly name: string | null;
}

export function Passkeys({ passkeys, name }: PasskeysProps) {
  const [isAdding, setAdding] = useState(false);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const isHere = /^(127\.|\[::1\]$)/.test(location.hostname);
  const elsewhere = `${location.protocol}//localhost${location.port ? `:${location.port}` : ''}/security`;
  return (
    <>
      <Row
        icon={KeyRound}
        title={securityWords.passkeys}
        text={
          name !== null ? (
            securityWords.passkeysNone
          ) : !isHere ? (
            securityWords.passkeysNeedOther
          ) : (
            <span>
              {securityWords.passkeysNeedName}{' '}
              <a href={elsewhere} className="text-accent underline underline-offset-2">
                {elsewhere}
              </a>
              .
            </span>
          )
        }
        actions={
          name !== null && (
            <Button size="small" onClick={() => setAdding(true)}>
              {securityWords.addPasskey}
            </Button>
          )
        }
      >
        {passkeys.length > 0 && (
          <ul className="mt-3 ml-8">
            {passkeys.map((passkey) => (
              <Passkey key={passkey.id} passkey={passkey} />
            ))}
          </ul>
        )}
      </Row>
      {isAdding && (
        <Add
          onClose={() => setAdding(false)}
          onDone={(given) => {
            setAdding(false);
            setCodes(given);
          }}
        />
      )}
      {codes && <RecoveryCodes codes={codes} onClose={() => setCodes(null)} />}
    </>
  );
}

function Passkey({ passkey }: { readonly passkey: PasskeyInfo }) {
  const { id, name, address, isUsableHere, isSynced, createdAt, lastUsedAt } = passkey;
  const [isRenaming, setRenaming] = useState(false);
  const [isRemoving, setRemoving] = useState(false);
  const remove = useAction(removePasskey, { done: securityWords.passkeyRemoved, refresh: [getFactors] });
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line py-2.5 first:border-0">
      <div className="min-w-0 flex-1 basis-40">
        <p className="flex flex-wrap items-center gap-2 wrap-anywhere">
          {name}
          {isSynced && <Badge>{securityWords.synced}</Badge>}
          {!isUsableHere && <Badge tone="warn">{securityWords.elsewhere(address)}</Badge>}
        </p>
        <p className="flex flex-wrap gap-x-3 text-[0.8125rem] text-ink-soft">
          <span>
            {securityWords.appSince} <Time at={createdAt} />
          </span>
          {lastUsedAt !== null && (
            <span>
              {securityWords.used} <Time at={lastUsedAt} />
            </span>
          )}
        </p>
      </div>
      <Button size="small" onClick={() => setRenaming(true)} aria-label={`${securityWords.rename} ${name}`}>
        {securityWords.rename}
      </Button>
      <Button
        size="small"
        look="danger"
        busy={remove.isPending}
        onClick={() => setRemoving(true)}
        aria-label={`${securityWords.remove} ${name}`}
      >
        {securityWords.remove}
      </Button>
      {isRenaming && <Rename passkey={passkey} onClose={() => setRenaming(false)} />}
      {isRemoving && (
        <Confirm
          title={securityWords.removePasskeyTitle(name)}
          text={securityWords.removeText}
          action={securityWords.remove}
          onClose={() => setRemoving(false)}
          onConfirm={() => remove.mutate({ id })}
        />
      )}
    </li>
  );
}

interface AddProps {
  readonly onClose: () => void;
  readonly onDone: (recoveryCodes: readonly string[] | null) => void;
}

/** A name, then the browser's own ceremony. */
function Add({ onClose, onDone }: AddProps) {
  const { client, queries } = useApi();
  const toast = useToast();
  const [name, setName] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  async function add(event: FormEvent): Promise<void> {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const { challenge, options } = await client.call(beginPasskey, {});
      const { recoveryCodes } = await client.call(addPasskey, { challenge, name, passkey: await makePasskey(options) });
      toast.good(securityWords.passkeyDone);
      onDone(recoveryCodes);
      await queries.invalidateQueries({ queryKey: keyOf(getFactors) });
    } catch (thrown) {
      setError(thrown instanceof AppError ? messageOf(thrown) : securityWords.passkeyFailed);
      setBusy(false);
    }
  }

  return (
    <Dialog open onClose={onClose} title={securityWords.addPasskey}>
      <form onSubmit={(event) => void add(event)} className="space-y-5">
        <Field
          label={securityWords.passkeyName}
          hint={securityWords.passkeyHint}
          autoFocus
          required
          maxLength={60}
          value={name}
          onChange={(event) => setName(event.target.value)}
          error={error}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{t.action.cancel}</Button>
          <Button type="submit" look="primary" busy={isBusy} disabled={name.trim() === ''}>
            {securityWords.addPasskey}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
