import { KeyRound } from 'lucide-react';
import { useState } from 'react';
import { getDoors, listCertificates, revokeCertificate, type Certificate } from '#doors/contract';
import { useAction, useEndpoint } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
import { doorsWords } from '../../strings/system.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Empty } from '../../ui/empty.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { saveFile } from '../../ui/save-file.ts';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';
import { NewCertificate } from './new-certificate.tsx';

const TONES: Readonly<Record<Certificate['state'], Tone>> = {
  good: 'good',
  expiring: 'warn',
  expired: 'bad',
  revoked: 'bad',
  replaced: 'neutral',
};

/** Certificates that were made here: whose they are, when they end, and the way to end one now. */
export function Certificates() {
  const certificates = useEndpoint(listCertificates, {});
  const [isMaking, setMaking] = useState(false);
  const { items, authority } = certificates.data ?? { items: [], authority: null };
  return (
    <Card
      title={doorsWords.certificates}
      aside={
        <span className="flex gap-2">
          {authority !== null && (
            <Button size="small" onClick={() => saveFile('castellan-ca.crt', authority, 'application/x-x509-ca-cert')}>
              {doorsWords.authorityFile}
            </Button>
          )}
          <Button size="small" onClick={() => setMaking(true)}>
            {doorsWords.newCertificate}
          </Button>
        </span>
      }
      flush
    >
      {certificates.error && !certificates.data && (
        <div className="px-5 pb-4">
          <ErrorBox error={certificates.error} onRetry={() => void certificates.refetch()} />
        </div>
      )}
      {certificates.isPending && <Skeleton lines={2} className="px-5 pb-4" />}
      {certificates.data && items.length === 0 && (
        <Empty icon={KeyRound} title={doorsWords.noCertificates}>
          {doorsWords.noCertificatesText}
        </Empty>
      )}
      <ul>
        {items.map((certificate) => (
          <Row key={certificate.serial} certificate={certificate} />
        ))}
      </ul>
      {isMaking && <NewCertificate onClose={() => setMaking(false)} />}
    </Card>
  );
}

function Row({ certificate: { serial, kind, name, names, notAfter, revokedAt, state } }: { readonly certificate: Certificate }) {
  const [isAsking, setAsking] = useState(false);
  const revoke = useAction(revokeCertificate, { done: doorsWords.revoked(name), refresh: [listCertificates, getDoors] });
  const isOver = state === 'revoked' || state === 'expired';
  return (
    <li className="border-t border-line px-5 py-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <span className="font-medium wrap-anywhere">{name}</span>
        <Badge tone={TONES[state]}>{doorsWords.state[state]}</Badge>
        <span className="text-[0.8125rem] text-ink-soft">{doorsWords.kind[kind]}</span>
        {kind === 'client' && !isOver && (
          <Button size="small" look="danger" className="ml-auto" onClick={() => setAsking(true)} aria-label={doorsWords.revokeNamed(name)}>
            {doorsWords.revoke}
          </Button>
        )}
      </div>
      <p className="mt-0.5 flex flex-wrap gap-x-3 text-[0.8125rem] text-ink-soft">
        {revokedAt === null ? (
          <span>
            {state === 'expired' ? doorsWords.ended : doorsWords.ends} <Time at={notAfter} />
          </span>
        ) : (
          <span>
            {doorsWords.revokedAt} <Time at={revokedAt} />
          </span>
        )}
        {names.length > 0 && <span className="wrap-anywhere">{names.join(', ')}</span>}
        <span className="font-mono wrap-anywhere">{serial}</span>
      </p>
      <Dialog open={isAsking} onClose={() => setAsking(false)} title={doorsWords.revokeTitle(name)} text={doorsWords.revokeText}>
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={() => setAsking(false)}>{t.action.cancel}</Button>
          <Button look="danger" busy={revoke.isPending} onClick={() => revoke.mutate({ serial }, { onSettled: () => setAsking(false) })}>
            {doorsWords.revoke}
          </Button>
        </div>
      </Dialog>
    </li>
  );
}
