import type { TreeNode } from '../../api/health.ts';
import { systemWords } from '../../strings/system.ts';
import type { Tone } from '../../ui/badge.tsx';
import { Dot } from '../../ui/dot.tsx';
import { duration } from '../../ui/format.ts';
import { Table } from '../../ui/table.tsx';
import { Time, useNow } from '../../ui/time.tsx';

const WIDE = 'hidden sm:table-cell';
const INDENT = ['', 'pl-6', 'pl-12', 'pl-18', 'pl-24'];

interface Row {
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  readonly node: TreeNode;
}

/** The supervision tree, one row for each node, children below their supervisor. */
export function Tree({ root }: { readonly root: TreeNode }) {
  const now = useNow(1_000);
  const { columns } = systemWords;
  return (
    <Table
      caption={systemWords.tree}
      head={[
        { name: columns.part },
        { name: columns.state },
        { name: columns.uptime, className: `text-right ${WIDE}` },
        { name: columns.restarts, className: 'text-right' },
        { name: columns.cause, className: WIDE },
      ]}
    >
      {rowsOf(root).map(({ path, name, depth, node }) => (
        <tr key={path}>
          <td className="min-w-32">
            <span className={`block ${INDENT[Math.min(depth, 4)]}`}>
              <span className="font-medium wrap-anywhere">{name}</span>{' '}
              {node.strategy !== undefined && (
                <span className="ml-2 text-[0.8125rem] text-ink-faint max-sm:hidden">{systemWords.strategy[node.strategy]}</span>
              )}{' '}
              {node.detail !== undefined && (
                <span className="text-[0.8125rem] text-ink-soft wrap-anywhere max-sm:block sm:ml-2">{node.detail}</span>
              )}
            </span>
          </td>
          <td className="whitespace-nowrap">
            <span className="flex items-center gap-2">
              <Dot tone={toneOf(node)} />
              {node.ok || node.state !== 'running' ? (systemWords.state[node.state ?? ''] ?? node.state) : systemWords.notWell}
            </span>
          </td>
          <td className={`text-right whitespace-nowrap text-ink-soft tabular-nums ${WIDE}`}>
            {node.startedAt == null ? '' : duration(Math.floor(Math.max(0, now - node.startedAt) / 1_000) * 1_000)}
          </td>
          <td className={`text-right tabular-nums ${node.restarts ? 'font-medium text-warn' : 'text-ink-soft'}`}>{node.restarts ?? 0}</td>
          <td className={`text-[0.8125rem] ${WIDE}`}>
            {node.lastCause ? (
              <>
                <span className="block wrap-anywhere text-bad">{node.lastCause.message}</span>
                <Time at={node.lastCause.at} className="text-ink-soft" />
              </>
            ) : (
              <span className="text-ink-faint">{systemWords.never}</span>
            )}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function rowsOf(node: TreeNode, path = '', depth = 0): readonly Row[] {
  return Object.entries(node.children ?? {}).flatMap(([name, child]) => [
    { path: `${path}/${name}`, name, depth, node: child },
    ...rowsOf(child, `${path}/${name}`, depth + 1),
  ]);
}

function toneOf({ ok, state }: TreeNode): Tone {
  if (ok && state === 'running') return 'good';
  return state === 'stopped' ? 'neutral' : state === 'starting' || state === 'backing_off' ? 'warn' : 'bad';
}
