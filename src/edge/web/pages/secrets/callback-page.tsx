import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { completeConnection, listConnections } from '#vault/contract';
import { useAction } from '../../api/use-endpoint.ts';
import { PageHead } from '../../shell/page-head.tsx';
import { secretWords } from '../../strings/secrets.ts';
import { buttonClass } from '../../ui/button.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';

const w = secretWords.callback;

/** Takes what the service wrote into the address out of it, so that neither history nor a reload keeps it. */
function takeAnswer() {
  const query = new URLSearchParams(location.search);
  history.replaceState(history.state, '', location.pathname);
  const text = (name: string, key: string) => (query.has(name) ? { [key]: query.get(name)! } : {});
  const state = query.get('state');
  return state === null
    ? null
    : {
        state,
        ...text('code', 'code'),
        ...text('error', 'error'),
        ...text('error_description', 'errorDescription'),
        ...text('iss', 'iss'),
      };
}

/** Where the browser comes back to from a service that was asked for access. */
export function CallbackPage() {
  const complete = useAction(completeConnection, { quiet: true, refresh: [listConnections] });
  const wasTaken = useRef(false);
  const { mutate } = complete;
  useEffect(() => {
    if (wasTaken.current) return;
    wasTaken.current = true;
    const answer = takeAnswer();
    mutate(answer ?? { state: 'none' });
  }, [mutate]);

  return (
    <div className="max-w-lg">
      <PageHead
        title={complete.data ? w.done(complete.data.name) : complete.error ? w.failed : w.title}
        text={complete.data ? w.doneText : undefined}
      />
      {complete.error ? <ErrorBox error={complete.error} /> : !complete.data && <Skeleton lines={2} />}
      {!complete.isPending && !complete.isIdle && (
        <Link to="/secrets" className={`mt-5 ${buttonClass()}`}>
          {w.back}
        </Link>
      )}
    </div>
  );
}
