import { TriangleAlert } from 'lucide-react';
import type { SkillPreview } from '#skills/contract';
import { skillsWords } from '../../strings/skills.ts';
import { bytes } from '../../ui/format.ts';
import { Folded } from '../../ui/folded.tsx';
import { Grants } from './grants.tsx';
import { Walls } from './walls.tsx';

/** All that is to be known before a skill is let in. */
export function Preview({ preview }: { readonly preview: SkillPreview }) {
  const { name, version, title, description, author, grants, update, warnings, files, sizeBytes, checksum, walls, leftOut } = preview;
  return (
    <div className="space-y-5">
      <div>
        <h3 className="text-lg font-semibold wrap-anywhere">{title}</h3>
        <p className="text-[0.8125rem] text-ink-soft">
          {name} {version}
          {author !== null && ` · ${author}`}
        </p>
        <p className="mt-2 wrap-anywhere">{description}</p>
      </div>
      {warnings.length > 0 && (
        <ul className="space-y-1.5 rounded-control bg-warn-soft px-4 py-3 text-warn">
          {warnings.map((line) => (
            <li key={line} className="flex items-start gap-2.5">
              <TriangleAlert aria-hidden className="mt-0.5 size-4.5 shrink-0" />
              <span className="wrap-anywhere">{line}.</span>
            </li>
          ))}
        </ul>
      )}
      <section aria-label={skillsWords.asks}>
        <h4 className="mb-2 font-medium">{update ? skillsWords.asksAgainst(update.from) : skillsWords.asks}</h4>
        {update ? (
          <div className="space-y-2.5">
            {update.added.length > 0 && <Grants grants={update.added} as="added" />}
            {update.removed.length > 0 && <Grants grants={update.removed} as="removed" />}
            {update.kept.length > 0 && <Grants grants={update.kept} />}
            {update.added.length + update.removed.length === 0 && <p className="text-ink-soft">{skillsWords.noDiff}</p>}
          </div>
        ) : (
          <Grants grants={grants} />
        )}
      </section>
      {walls.state !== 'bubblewrap_and_deno' && <Walls walls={walls} />}
      <Folded title={skillsWords.files(files.length, bytes(sizeBytes))}>
        {() => (
          <>
            <ul className="font-mono text-[0.8125rem]">
              {files.map((file) => (
                <li key={file.path} className="flex justify-between gap-4">
                  <span className="wrap-anywhere">{file.path}</span>
                  <span className="shrink-0 text-ink-faint">{bytes(file.sizeBytes)}</span>
                </li>
              ))}
            </ul>
            {leftOut.length > 0 && <p className="mt-2 text-[0.8125rem] text-ink-soft">{skillsWords.leftOut(leftOut.join(', '))}</p>}
            <p className="mt-2 font-mono text-[0.8125rem] text-ink-faint wrap-anywhere">SHA-256 {checksum}</p>
          </>
        )}
      </Folded>
    </div>
  );
}
