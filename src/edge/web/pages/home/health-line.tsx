import { Link } from '@tanstack/react-router';
import { ailing, countParts, getHealth } from '../../api/health.ts';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { homeWords } from '../../strings/home.ts';
import { Dot } from '../../ui/dot.tsx';

/** How the agent does, in one line that leads to the whole of it. */
export function HealthLine() {
  const health = useEndpoint(getHealth, {}, { refetchMs: 15_000 });
  const tree = health.data?.tree;
  const bad = tree ? ailing(tree) : [];
  const isWell = health.data?.status === 'ok';
  const words = !tree
    ? homeWords.healthUnknown
    : isWell
      ? homeWords.healthy(countParts(tree))
      : homeWords.ailing(bad.map(({ path }) => path).join(', '));
  return (
    <Link
      to="/system"
      className="inline-flex items-center gap-2 rounded-full border border-line bg-surface px-3.5 py-1.5 text-[0.8125rem] text-ink-soft hover:text-ink"
    >
      <Dot tone={!tree ? 'neutral' : isWell ? 'good' : 'bad'} />
      {words}
    </Link>
  );
}
