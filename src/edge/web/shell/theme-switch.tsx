import { Monitor, Moon, Sun } from 'lucide-react';
import { useId, useState } from 'react';
import { applyTheme, readTheme, THEMES, type Theme } from '../theme/theme.ts';
import { t } from '../strings.ts';

const ICONS = { system: Monitor, light: Sun, dark: Moon } as const;

/** Light, dark, or as the system is. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>(readTheme);
  const name = useId();

  function choose(next: Theme): void {
    applyTheme(next);
    setTheme(next);
  }

  return (
    <div role="radiogroup" aria-label={t.theme.label} className="inline-flex rounded-control bg-sunken p-0.5">
      {THEMES.map((it) => {
        const Icon = ICONS[it];
        return (
          <label
            key={it}
            title={t.theme[it]}
            className="grid size-8 cursor-pointer place-items-center rounded-[0.4rem] text-ink-faint hover:text-ink has-checked:bg-surface has-checked:text-ink has-checked:shadow-low has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input
              type="radio"
              name={name}
              value={it}
              checked={theme === it}
              onChange={() => choose(it)}
              className="sr-only"
              aria-label={t.theme[it]}
            />
            <Icon aria-hidden className="size-4" />
          </label>
        );
      })}
    </div>
  );
}
