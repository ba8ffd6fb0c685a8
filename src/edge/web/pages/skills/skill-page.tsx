import { Link, useNavigate, useParams } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { useState } from 'react';
import type { Json } from '#core/json';
import {
  disableSkill,
  enableSkill,
  getInstalledSkill,
  getSkill,
  listInstalledSkills,
  listSkills,
  removeSkill,
  verifySkills,
  type InstalledSkill,
  type SkillInfo,
} from '#skills/contract';
import { useAction, useEndpoint } from '../../api/use-endpoint.ts';
import { PageHead } from '../../shell/page-head.tsx';
import { t } from '../../strings.ts';
import { skillsWords } from '../../strings/skills.ts';
import { Badge } from '../../ui/badge.tsx';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Data } from '../../ui/data.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Folded } from '../../ui/folded.tsx';
import { bytes, duration } from '../../ui/format.ts';
import { Skeleton } from '../../ui/skeleton.tsx';
import { Time } from '../../ui/time.tsx';
import { Facts } from './facts.tsx';
import { Grants } from './grants.tsx';
import { Install } from './install.tsx';
import { stateOf, toneOf } from './skills-page.tsx';

const STALE = [listSkills, getSkill, listInstalledSkills, getInstalledSkill];

export function SkillPage() {
  const { name } = useParams({ from: '/skills/$name' });
  const skill = useEndpoint(getSkill, { name });
  if (skill.error && !skill.data)
    return (
      <>
        <PageHead title={name} />
        <ErrorBox error={skill.error} onRetry={() => void skill.refetch()} />
      </>
    );
  if (!skill.data)
    return (
      <>
        <PageHead title={name} />
        <Skeleton lines={8} />
      </>
    );
  const { title, description, disabled } = skill.data;
  return (
    <>
      <Link
        to="/skills"
        className="mb-3 inline-flex items-center gap-1.5 rounded text-[0.8125rem] font-medium text-ink-soft hover:text-ink"
      >
        <ArrowLeft aria-hidden className="size-4" />
        {skillsWords.back}
      </Link>
      <PageHead title={title} text={description}>
        <Badge tone={toneOf(skill.data)}>{stateOf(skill.data)}</Badge>
      </PageHead>
      <div className="space-y-5">
        {disabled !== null && (
          <p role="status" className="rounded-control bg-bad-soft px-4 py-3 text-bad wrap-anywhere">
            {skillsWords.disabledBecause(disabled)}
          </p>
        )}
        {skill.data.kind === 'installed' ? <Installed name={name} /> : <OwnGrants skill={skill.data} />}
        <Shape skill={skill.data} />
      </div>
    </>
  );
}

function OwnGrants({ skill }: { readonly skill: SkillInfo }) {
  return (
    <Card title={skillsWords.uses}>
      {skill.grants.length === 0 ? (
        <p className="text-ink-soft">{skillsWords.noGrants}</p>
      ) : (
        <ul className="flex flex-wrap gap-1.5">
          {skill.grants.map((grant) => (
            <li key={grant}>
              <code className="rounded bg-sunken px-2 py-0.5 text-[0.8125rem]">{grant}</code>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Installed({ name }: { readonly name: string }) {
  const installed = useEndpoint(getInstalledSkill, { name });
  const [isUpdating, setUpdating] = useState(false);
  if (installed.error && !installed.data) return <ErrorBox error={installed.error} onRetry={() => void installed.refetch()} />;
  if (!installed.data) return <Skeleton lines={6} />;
  const it = installed.data;
  return (
    <>
      <Card title={skillsWords.may}>
        <Grants grants={it.grants} />
      </Card>
      <Card title={skillsWords.about}>
        <Facts
          facts={[
            [skillsWords.facts.version, it.version],
            [skillsWords.facts.author, it.author],
            [skillsWords.facts.license, it.license],
            [skillsWords.facts.installed, <Time key="at" at={it.installedAt} />],
            [skillsWords.facts.source, it.source],
            [skillsWords.facts.size, bytes(it.sizeBytes)],
            [skillsWords.facts.limits, skillsWords.limits(duration(it.timeoutMs), it.memoryMb)],
            [skillsWords.facts.usedBy, it.usedBy.length === 0 ? skillsWords.unused : it.usedBy.join(', ')],
            [
              skillsWords.facts.checksum,
              <code key="sum" className="text-[0.8125rem] wrap-anywhere">
                {it.checksum}
              </code>,
            ],
          ]}
        />
        <Actions skill={it} onUpdate={() => setUpdating(true)} />
      </Card>
      {isUpdating && <Install folder={it.source} onDone={() => setUpdating(false)} onClose={() => setUpdating(false)} />}
    </>
  );
}

function Actions({ skill, onUpdate }: { readonly skill: InstalledSkill; readonly onUpdate: () => void }) {
  const { name, title, state, usedBy } = skill;
  const [isRemoving, setRemoving] = useState(false);
  const navigate = useNavigate();
  const enable = useAction(enableSkill, { refresh: STALE, done: skillsWords.enabled });
  const disable = useAction(disableSkill, { refresh: STALE, done: skillsWords.disabledNow });
  const verify = useAction(verifySkills, { refresh: STALE, done: ({ items }) => items[0]?.problem ?? skillsWords.verified });
  const remove = useAction(removeSkill, { refresh: [listSkills, listInstalledSkills], done: skillsWords.removed(title) });
  return (
    <div className="mt-5 flex flex-wrap gap-3">
      {state === 'enabled' ? (
        <Button busy={disable.isPending} onClick={() => disable.mutate({ name })}>
          {skillsWords.disable}
        </Button>
      ) : (
        <Button busy={enable.isPending} onClick={() => enable.mutate({ name })}>
          {skillsWords.enable}
        </Button>
      )}
      <Button busy={verify.isPending} onClick={() => verify.mutate({ name })}>
        {skillsWords.verify}
      </Button>
      <Button onClick={onUpdate}>{skillsWords.update}</Button>
      <Button look="danger" onClick={() => setRemoving(true)}>
        {skillsWords.remove}
      </Button>
      <Dialog
        open={isRemoving}
        onClose={() => setRemoving(false)}
        title={skillsWords.removeTitle(title)}
        text={usedBy.length === 0 ? skillsWords.removeText : skillsWords.removeUsed(usedBy.join(', '))}
      >
        <div className="flex justify-end gap-3">
          <Button look="quiet" onClick={() => setRemoving(false)}>
            {t.action.cancel}
          </Button>
          <Button
            look="danger"
            busy={remove.isPending}
            onClick={() =>
              remove.mutate({ name }, { onSuccess: () => void navigate({ to: '/skills' }), onError: () => setRemoving(false) })
            }
          >
            {skillsWords.remove}
          </Button>
        </div>
      </Dialog>
    </div>
  );
}

function Shape({ skill }: { readonly skill: SkillInfo }) {
  const schemas = [
    [skillsWords.schema.config, skill.configSchema],
    [skillsWords.schema.input, skill.inputSchema],
    [skillsWords.schema.output, skill.outputSchema],
  ] as const;
  return (
    <Card title={skillsWords.shape}>
      <p className="mb-2 text-[0.8125rem] text-ink-soft">{skillsWords.outcomes}</p>
      <ul className="mb-4 flex flex-wrap gap-1.5">
        {[...skill.outcomes, 'on_error', 'on_timeout'].map((outcome) => (
          <li key={outcome}>
            <code className="rounded bg-sunken px-2 py-0.5 text-[0.8125rem]">{outcome}</code>
          </li>
        ))}
      </ul>
      {schemas.map(([title, schema]) => (
        <Folded key={title} title={title}>
          {() => <Data value={schema as Json} />}
        </Folded>
      ))}
    </Card>
  );
}
