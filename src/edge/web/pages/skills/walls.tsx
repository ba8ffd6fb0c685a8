import { ShieldAlert, ShieldCheck, ShieldOff } from 'lucide-react';
import type { WallState } from '#skills/contract';
import { skillsWords } from '../../strings/skills.ts';

const LOOKS = {
  bubblewrap_and_deno: { icon: ShieldCheck, className: 'bg-good-soft text-good' },
  deno_alone: { icon: ShieldAlert, className: 'bg-warn-soft text-warn' },
  none: { icon: ShieldOff, className: 'bg-bad-soft text-bad' },
} as const;

/** What stands between installed skills and the machine, and which wall is missing. */
export function Walls({ walls }: { readonly walls: WallState }) {
  const { icon: Icon, className } = LOOKS[walls.state];
  return (
    <div className={`flex items-start gap-3 rounded-control px-4 py-3 ${className}`}>
      <Icon aria-hidden className="mt-0.5 size-4.5 shrink-0" />
      <div className="min-w-0">
        <p className="font-medium">{skillsWords.walls[walls.state]}</p>
        {walls.missing.map((line) => (
          <p key={line} className="mt-0.5 text-[0.8125rem] wrap-anywhere">
            {line}.
          </p>
        ))}
      </div>
    </div>
  );
}
