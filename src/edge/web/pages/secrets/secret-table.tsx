import { KeyRound } from 'lucide-react';
import { useState } from 'react';
import type { z } from 'zod';
import { listSecrets } from '#vault/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { secretWords } from '../../strings/secrets.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Empty } from '../../ui/empty.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Table } from '../../ui/table.tsx';
import { Time, useNow } from '../../ui/time.tsx';
import { EditSecret, RemoveSecret, RotateSecret } from './secret-forms.tsx';

/** A secret with the places that refer to it. */
export type ListedSecret = z.output<typeof listSecrets.output>['items'][number];

const SOON_MS = 14 * 86_400_000;
const WIDE = 'hidden md:table-cell';
const w = secretWords;

export function SecretTable() {
  const secrets = useEndpoint(listSecrets, {});
  const [open, setOpen] = useState<{ readonly what: 'rotate' | 'edit' | 'remove'; readonly secret: ListedSecret } | null>(null);
  const close = (): void => setOpen(null);
  if (secrets.error && !secrets.data)
    return (
      <div className="p-4">
        <ErrorBox error={secrets.error} onRetry={() => void secrets.refetch()} />
      </div>
    );
  if (!secrets.data) return <Skeleton lines={4} className="p-5" />;
  if (secrets.data.items.length === 0)
    return (
      <Empty icon={KeyRound} title={w.none}>
        {w.noneText}
      </Empty>
    );
  return (
    <>
      <Table
        caption={w.title}
        head={[
          { name: w.columns.name },
          { name: w.columns.use, className: WIDE },
          { name: w.columns.used, className: WIDE },
          { name: w.columns.age, className: WIDE },
          { name: '', className: WIDE },
        ]}
      >
        {secrets.data.items.map((secret) => (
          <Row key={secret.name} secret={secret} onOpen={(what) => setOpen({ what, secret })} />
        ))}
      </Table>
      {open?.what === 'rotate' && <RotateSecret name={open.secret.name} onClose={close} />}
      {open?.what === 'edit' && <EditSecret secret={open.secret} onClose={close} />}
      {open?.what === 'remove' && <RemoveSecret secret={open.secret} onClose={close} />}
    </>
  );
}

function Row({ secret, onOpen }: { readonly secret: ListedSecret; readonly onOpen: (what: 'rotate' | 'edit' | 'remove') => void }) {
  const { name, description, scope, hosts, usedBy, lastUsedAt, uses, createdAt, rotatedAt, previousUntil } = secret;
  return (
    <tr className="align-top">
      <td>
        <p className="font-mono text-[0.8125rem] font-medium wrap-anywhere">{name}</p>
        {description !== '' && <p className="text-ink-soft">{description}</p>}
        <p className="text-[0.8125rem] text-ink-faint">{usedBy.length > 0 ? w.usedBy(usedBy) : w.unused}</p>
        <p className="text-[0.8125rem] wrap-anywhere text-ink-soft md:hidden">
          {w.columns.use} {[scope === 'any' ? w.anyone : scope, ...(hosts === '' ? [] : [w.hosts(hosts)])].join(', ')}
        </p>
        <Ends secret={secret} />
        {previousUntil !== null && (
          <p className="text-[0.8125rem] text-ink-soft">
            {w.oldUntil} <Time at={previousUntil} />
          </p>
        )}
        <div className="mt-2 flex flex-wrap gap-2 md:hidden">
          <Actions name={name} onOpen={onOpen} />
        </div>
      </td>
      <td className={WIDE}>
        <p className="wrap-anywhere">{scope === 'any' ? w.anyone : scope}</p>
        {hosts !== '' && <p className="text-[0.8125rem] wrap-anywhere text-ink-soft">{w.hosts(hosts)}</p>}
      </td>
      <td className={`whitespace-nowrap text-ink-soft ${WIDE}`}>
        {lastUsedAt === null ? (
          w.never
        ) : (
          <>
            <Time at={lastUsedAt} />
            <span className="block text-[0.8125rem] text-ink-faint">{w.uses(uses)}</span>
          </>
        )}
      </td>
      <td className={`whitespace-nowrap text-ink-soft ${WIDE}`}>
        <Time at={rotatedAt ?? createdAt} />
      </td>
      <td className={WIDE}>
        <div className="flex justify-end gap-2">
          <Actions name={name} onOpen={onOpen} />
        </div>
      </td>
    </tr>
  );
}

function Actions({ name, onOpen }: { readonly name: string; readonly onOpen: (what: 'rotate' | 'edit' | 'remove') => void }) {
  return (['rotate', 'edit', 'remove'] as const).map((what) => (
    <Button
      key={what}
      size="small"
      look={what === 'remove' ? 'danger' : 'plain'}
      aria-label={`${w[what]} ${name}`}
      onClick={() => onOpen(what)}
    >
      {w[what]}
    </Button>
  ));
}

function Ends({ secret: { expiresAt } }: { readonly secret: ListedSecret }) {
  const now = useNow(60_000);
  if (expiresAt === null) return null;
  const left = Date.parse(expiresAt) - now;
  return (
    <p className="mt-1">
      <Badge tone={left <= 0 ? 'bad' : left <= SOON_MS ? 'warn' : 'neutral'}>
        {left <= 0 ? w.ended : w.ends} <Time at={expiresAt} />
      </Badge>
    </p>
  );
}
