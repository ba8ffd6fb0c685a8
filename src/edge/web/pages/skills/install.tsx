import { X } from 'lucide-react';
import { useState } from 'react';
import { installSkill, listInstalledSkills, listSkills, previewSkill, updateSkill } from '#skills/contract';
import { useAction } from '../../api/use-endpoint.ts';
import { t } from '../../strings.ts';
import { skillsWords } from '../../strings/skills.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { ErrorBox } from '../../ui/error-box.tsx';
import { Field } from '../../ui/field.tsx';
import { Preview } from './preview.tsx';

const STALE = [listSkills, listInstalledSkills];

interface InstallProps {
  /** Where to look at first: the source of an installed skill. */
  readonly folder?: string;
  readonly onDone: (name: string) => void;
  readonly onClose: () => void;
}

/** A folder is looked at, and what it holds is let in or not. */
export function Install({ folder: first = '', onDone, onClose }: InstallProps) {
  const [folder, setFolder] = useState(first);
  const look = useAction(previewSkill, { quiet: true });
  const install = useAction(installSkill, {
    refresh: STALE,
    quiet: true,
    done: ({ title, version }) => skillsWords.installed(title, version),
  });
  const update = useAction(updateSkill, { refresh: STALE, quiet: true, done: ({ title, version }) => skillsWords.updated(title, version) });
  const preview = look.data;
  const act = preview?.update ? update : install;
  const error = look.error ?? act.error;

  function accept(): void {
    if (!preview || !look.variables) return;
    const { name, checksum } = preview;
    const done = { onSuccess: () => onDone(name) };
    if (preview.update) update.mutate({ name, folder: look.variables.folder, checksum }, done);
    else install.mutate({ folder: look.variables.folder, checksum }, done);
  }

  function again(): void {
    look.reset();
    install.reset();
    update.reset();
  }

  return (
    <Card
      title={skillsWords.install}
      aside={
        <button type="button" aria-label={t.action.close} onClick={onClose} className="rounded p-1 text-ink-faint hover:text-ink">
          <X aria-hidden className="size-4" />
        </button>
      }
    >
      {!preview && (
        <form
          className="flex flex-wrap items-start gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            again();
            look.mutate({ folder: folder.trim() });
          }}
        >
          <Field
            className="min-w-0 flex-1 basis-72"
            label={skillsWords.folder}
            hint={skillsWords.folderHint}
            value={folder}
            onChange={(event) => setFolder(event.target.value)}
            placeholder="/home/you/skills/word_statistics"
            autoComplete="off"
            spellCheck={false}
            required
          />
          <Button type="submit" look="primary" className="sm:mt-6.5" busy={look.isPending} disabled={folder.trim() === ''}>
            {skillsWords.look}
          </Button>
        </form>
      )}
      {preview && <Preview preview={preview} />}
      {error && (
        <div className="mt-4">
          <ErrorBox error={error} />
        </div>
      )}
      {preview && (
        <div className="mt-6 flex flex-wrap justify-end gap-3">
          <Button look="quiet" onClick={again}>
            {t.action.cancel}
          </Button>
          <Button look="primary" busy={act.isPending} disabled={preview.walls.state === 'none'} onClick={accept}>
            {preview.update ? skillsWords.acceptUpdate(preview.version) : skillsWords.accept}
          </Button>
        </div>
      )}
    </Card>
  );
}
