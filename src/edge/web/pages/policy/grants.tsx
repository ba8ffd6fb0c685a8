import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { listPolicyGrants, listStarterGrants, revokePolicyGrant, type Grant } from '#policy/contract';
import { useAction, useEndpoint, usePages } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
import { policyWords } from '../../strings/policy.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Empty } from '../../ui/empty.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Folded } from '../../ui/folded.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';
import { Confirm } from '../security/confirm.tsx';
import { EffectBadge } from './effect-badge.tsx';
import { NewGrantDialog } from './new-grant.tsx';
import { useNames } from './use-names.ts';
import { conditionWords } from './words.ts';

/** The owner's grants, and below them those that come with the program. */
export function Grants() {
  const grants = usePages(listPolicyGrants, { limit: 50 });
  const [isMaking, setMaking] = useState(false);
  return (
    <Card
      title={policyWords.grants}
      aside={
        <Button size="small" look="primary" onClick={() => setMaking(true)}>
          <Plus aria-hidden className="size-4" />
          {policyWords.newGrant}
        </Button>
      }
      flush
    >
      {grants.error && (
        <div className="px-5 pb-4">
          <ErrorBox error={grants.error} onRetry={() => void grants.refetch()} />
        </div>
      )}
      {grants.isPending && <Skeleton lines={3} className="px-5 pb-4" />}
      {grants.isSuccess && grants.items.length === 0 && (
        <Empty icon={KeyRound} title={policyWords.noGrants}>
          {policyWords.noGrantsText}
        </Empty>
      )}
      <ul>
        {grants.items.map((grant) => (
          <Row key={grant.id} grant={grant} />
        ))}
      </ul>
      {grants.hasNextPage && (
        <div className="px-5 py-3 text-center">
          <Button size="small" busy={grants.isFetchingNextPage} onClick={() => void grants.fetchNextPage()}>
            {t.action.more}
          </Button>
        </div>
      )}
      <Folded title={policyWords.starters} className="mx-5 mt-2">
        {() => <Starters />}
      </Folded>
      {isMaking && <NewGrantDialog onClose={() => setMaking(false)} />}
    </Card>
  );
}

function Starters() {
  const starters = useEndpoint(listStarterGrants, {});
  return (
    <>
      <p className="text-[0.8125rem] text-ink-soft">{policyWords.startersText}</p>
      {starters.error && <ErrorBox error={starters.error} onRetry={() => void starters.refetch()} />}
      {starters.isPending && <Skeleton lines={4} className="py-2" />}
      <ul className="-mx-5 mt-1">
        {starters.data?.items.map((grant) => (
          <Row key={grant.id} grant={grant} />
        ))}
      </ul>
    </>
  );
}

function Row({ grant }: { readonly grant: Grant }) {
  const revoke = useAction(revokePolicyGrant, { done: policyWords.revoked, refresh: [listPolicyGrants] });
  const [isRevoking, setRevoking] = useState(false);
  const nameOf = useNames();
  const { effect, principal, capability, resource, reason, origin, madeBy, createdAt } = grant;
  const conditions = conditionWords(grant);
  const isOwn = origin !== 'starter';
  const what = `${nameOf(principal)}: ${capability}`;
  return (
    <li className="flex flex-wrap items-start gap-x-4 gap-y-2 border-t border-line px-5 py-4 first:border-0">
      <div className="w-16 shrink-0 pt-0.5">
        <EffectBadge effect={effect} />
      </div>
      <div className="min-w-0 flex-1 basis-56">
        <p className="wrap-anywhere">
          <span className="font-medium">{nameOf(principal)}</span> <code className="font-mono text-[0.8125rem]">{capability}</code>
          {resource !== '*' && (
            <>
              {' '}
              {policyWords.on} <code className="font-mono text-[0.8125rem]">{resource}</code>
            </>
          )}
        </p>
        {(isOwn || conditions !== '') && (
          <p className="mt-0.5 flex flex-wrap gap-x-3 text-[0.8125rem] text-ink-soft">
            {conditions !== '' && <span>{conditions}</span>}
            {isOwn && reason !== '' && <span className="wrap-anywhere">{reason}</span>}
            {isOwn && (
              <span>
                {policyWords.made(madeBy)} <Time at={createdAt} />
              </span>
            )}
          </p>
        )}
      </div>
      {isOwn && (
        <Button
          size="small"
          look="danger"
          className="max-sm:ml-20"
          busy={revoke.isPending}
          onClick={() => setRevoking(true)}
          aria-label={`${policyWords.revoke}: ${what}`}
        >
          {policyWords.revoke}
        </Button>
      )}
      {isRevoking && (
        <Confirm
          title={policyWords.revokeTitle}
          text={effect === 'deny' ? policyWords.revokeDenyText : policyWords.revokeText}
          action={policyWords.revoke}
          onClose={() => setRevoking(false)}
          onConfirm={() => revoke.mutate({ id: grant.id })}
        />
      )}
    </li>
  );
}
