import { Link, useNavigate } from '@tanstack/react-router';
import { Blocks, Plus } from 'lucide-react';
import { useState } from 'react';
import { listInstalledSkills, listSkills, type SkillInfo } from '#skills/contract';
import { useEndpoint } from '../../api/use-endpoint.ts';
import { PageHead } from '../../shell/page-head.tsx';
import { skillsWords } from '../../strings/skills.ts';
import { Badge, type Tone } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Empty } from '../../ui/empty.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Install } from './install.tsx';
import { Walls } from './walls.tsx';

export function SkillsPage() {
  const [isInstalling, setInstalling] = useState(false);
  const skills = useEndpoint(listSkills, {});
  const installed = useEndpoint(listInstalledSkills, {});
  const navigate = useNavigate();
  const own = skills.data?.items.filter(({ kind }) => kind === 'built-in') ?? [];
  const others = skills.data?.items.filter(({ kind }) => kind !== 'built-in') ?? [];
  return (
    <>
      <PageHead title={skillsWords.title} text={skillsWords.text}>
        {!isInstalling && (
          <Button look="primary" onClick={() => setInstalling(true)}>
            <Plus aria-hidden className="size-4.5" />
            {skillsWords.install}
          </Button>
        )}
      </PageHead>
      <div className="space-y-5">
        {isInstalling && (
          <Install
            onClose={() => setInstalling(false)}
            onDone={(name) => {
              setInstalling(false);
              void navigate({ to: '/skills/$name', params: { name } });
            }}
          />
        )}
        {installed.data && <Walls walls={installed.data.walls} />}
        {skills.error && !skills.data && <ErrorBox error={skills.error} onRetry={() => void skills.refetch()} />}
        <Card title={skillsWords.others} aside={skillsWords.othersText} flush>
          {skills.isPending ? (
            <Skeleton lines={3} className="px-5 pb-4" />
          ) : others.length === 0 ? (
            <Empty icon={Blocks} title={skillsWords.none}>
              {skillsWords.noneText}
            </Empty>
          ) : (
            <SkillList skills={others} />
          )}
        </Card>
        <Card title={skillsWords.own} aside={skillsWords.ownText} flush>
          {skills.isPending ? <Skeleton lines={6} className="px-5 pb-4" /> : <SkillList skills={own} />}
        </Card>
      </div>
    </>
  );
}

function SkillList({ skills }: { readonly skills: readonly SkillInfo[] }) {
  return (
    <ul>
      {skills.map((skill) => (
        <li key={skill.name} className="border-t border-line">
          <Link to="/skills/$name" params={{ name: skill.name }} className="block px-5 py-4 -outline-offset-2 hover:bg-sunken">
            <span className="flex items-start justify-between gap-3">
              <span className="flex min-w-0 flex-wrap items-center gap-x-3">
                <span className="font-medium">{skill.title}</span>
                <code className="text-[0.8125rem] text-ink-faint wrap-anywhere">
                  {skill.name}
                  {skill.version !== null && ` ${skill.version}`}
                </code>
              </span>
              <Badge tone={toneOf(skill)}>{stateOf(skill)}</Badge>
            </span>
            <span className="mt-0.5 block text-[0.8125rem] text-ink-soft wrap-anywhere">{skill.description}</span>
            {skill.disabled !== null && <span className="mt-0.5 block text-[0.8125rem] text-bad wrap-anywhere">{skill.disabled}</span>}
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** How a skill does, for its badge. */
export function toneOf({ disabled, breaker }: SkillInfo): Tone {
  if (disabled !== null) return 'bad';
  return breaker.state === 'closed' ? 'good' : 'warn';
}

export function stateOf({ disabled, breaker }: SkillInfo): string {
  if (disabled !== null) return skillsWords.state.disabled;
  return breaker.state === 'closed' ? skillsWords.state.ready : skillsWords.state.resting;
}
