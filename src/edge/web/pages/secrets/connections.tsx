import { Plug } from 'lucide-react';
import { useState } from 'react';
import { listConnections, removeConnection, renewConnection, startConnection, type ConnectionInfo } from '#vault/contract';
import { useAction, useEndpoint } from '../../api/use-endpoint.ts';
import { secretWords } from '../../strings/secrets.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Empty } from '../../ui/empty.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';
import { DialogForm } from './secret-forms.tsx';

const TONES: Readonly<Record<ConnectionInfo['state'], Tone>> = { new: 'neutral', ok: 'good', failing: 'warn', broken: 'bad' };
const w = secretWords;

export function Connections() {
  const connections = useEndpoint(listConnections, {});
  if (connections.error && !connections.data)
    return (
      <div className="px-5 pb-4">
        <ErrorBox error={connections.error} onRetry={() => void connections.refetch()} />
      </div>
    );
  if (!connections.data) return <Skeleton lines={2} className="px-5 pb-4" />;
  if (connections.data.items.length === 0)
    return (
      <Empty icon={Plug} title={w.noConnections}>
        {w.noConnectionsText}
      </Empty>
    );
  return (
    <ul>
      {connections.data.items.map((connection) => (
        <li key={connection.name} className="border-t border-line px-5 py-4">
          <ConnectionRow connection={connection} />
        </li>
      ))}
    </ul>
  );
}

function ConnectionRow({ connection }: { readonly connection: ConnectionInfo }) {
  const { name, state, client, granted, breaksAt, renews, problem, description } = connection;
  const [device, setDevice] = useState<{ readonly url: string; readonly userCode: string } | null>(null);
  const [isRemoving, setRemoving] = useState(false);
  const start = useAction(startConnection);
  const renew = useAction(renewConnection, { done: w.renewed(name), refresh: [listConnections] });
  const remove = useAction(removeConnection, { quiet: true, done: w.removed(name), refresh: [listConnections] });
  if (device && state === 'ok') setDevice(null); // granted there

  function connect(): void {
    start.mutate({ name, origin: location.origin }, { onSuccess: ({ url }) => location.assign(url) });
  }

  function connectDevice(): void {
    start.mutate({ name, flow: 'device' }, { onSuccess: ({ url, userCode }) => setDevice({ url, userCode: userCode ?? '' }) });
  }

  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <span className="font-medium">{name}</span>
        <Badge tone={TONES[state]}>{w.state[state]}</Badge>
        {breaksAt !== null && (
          <span className="text-[0.8125rem] text-ink-soft">
            {w.endsOn} <Time at={breaksAt} />
          </span>
        )}
        {breaksAt === null && renews && <span className="text-[0.8125rem] text-ink-soft">{w.renewsItself}</span>}
        <div className="ml-auto flex flex-wrap gap-2">
          {client.authorizeUrl !== undefined && (
            <Button size="small" look={state === 'ok' ? 'plain' : 'primary'} busy={start.isPending} onClick={connect}>
              {state === 'new' ? w.connect : w.connectAgain}
            </Button>
          )}
          {client.deviceUrl !== undefined && (
            <Button size="small" busy={start.isPending} onClick={connectDevice}>
              {w.onDevice}
            </Button>
          )}
          {renews && (
            <Button size="small" busy={renew.isPending} onClick={() => renew.mutate({ name })}>
              {w.renew}
            </Button>
          )}
          <Button size="small" look="danger" aria-label={`${w.remove} ${name}`} onClick={() => setRemoving(true)}>
            {w.remove}
          </Button>
        </div>
      </div>
      {description !== '' && <p className="mt-0.5 text-ink-soft">{description}</p>}
      {granted.length > 0 && <p className="mt-0.5 text-[0.8125rem] wrap-anywhere text-ink-faint">{granted.join(' ')}</p>}
      {problem !== null && <p className="mt-1 text-[0.8125rem] wrap-anywhere text-bad">{problem}</p>}
      <Dialog open={device !== null} onClose={() => setDevice(null)} title={w.deviceTitle} text={w.deviceText}>
        <p className="text-center font-mono text-3xl tracking-widest select-all">{device?.userCode}</p>
        <a href={device?.url} target="_blank" rel="noreferrer" className={`mt-5 w-full ${buttonClass('primary')}`}>
          {w.openPage}
        </a>
      </Dialog>
      <Dialog open={isRemoving} onClose={() => setRemoving(false)} title={w.removeConnection(name)} text={w.removeConnectionText}>
        <DialogForm
          error={remove.error}
          busy={remove.isPending}
          submit={w.remove}
          onClose={() => setRemoving(false)}
          onSubmit={() => remove.mutate({ name })}
        >
          {null}
        </DialogForm>
      </Dialog>
    </>
  );
}
