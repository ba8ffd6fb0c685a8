import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { LogOut, WifiOff } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { getSession, logout } from '#owner/contract';
import { useLive } from '../api/use-live.ts';
import { useAction } from '../api/use-endpoint.ts';
import { t } from '../strings.ts';
import { Brand } from './brand.tsx';
import { PAGES } from './routes.ts';
import { ThemeSwitch } from './theme-switch.tsx';

/** What surrounds every page: navigation beside it, or below it on a phone. */
export function Shell() {
  const isHeard = useLive();
  const main = useFocusOnNavigation();
  return (
    <div className="min-h-dvh md:grid md:grid-cols-[14.5rem_minmax(0,1fr)]">
      <a
        href="#main"
        className="sr-only z-50 rounded-control bg-accent px-4 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-3 focus:left-3"
      >
        {t.skipToContent}
      </a>
      <aside className="hidden md:block">
        <div className="sticky top-0 flex h-dvh flex-col gap-6 border-r border-line px-4 py-6">
          <Link to="/" className="rounded-control px-2">
            <Brand />
          </Link>
          <nav aria-label={t.nav.label} className="flex-1">
            <ul className="space-y-1">
              {PAGES.map(({ to, name, icon: Icon }) => (
                <li key={to}>
                  <Link
                    to={to}
                    activeOptions={{ exact: to === '/' }}
                    className="flex h-10 items-center gap-3 rounded-control px-3 font-medium text-ink-soft transition-colors hover:bg-sunken hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent"
                  >
                    <Icon aria-hidden className="size-4.5" />
                    {name}
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
          <div className="flex items-center justify-between">
            <ThemeSwitch />
            <LogOutButton />
          </div>
        </div>
      </aside>
      <header className="flex h-16 items-center justify-between gap-3 px-4 md:hidden">
        <Link to="/" className="rounded-control">
          <Brand />
        </Link>
        <div className="flex items-center gap-1.5">
          <ThemeSwitch />
          <LogOutButton />
        </div>
      </header>
      <main
        ref={main}
        id="main"
        tabIndex={-1}
        className="mx-auto w-full max-w-6xl min-w-0 px-4 pt-2 pb-28 outline-none md:px-10 md:pt-9 md:pb-16"
      >
        {!isHeard && (
          <p role="status" className="mb-5 flex items-center gap-2.5 rounded-control bg-warn-soft px-4 py-3 text-warn">
            <WifiOff aria-hidden className="size-4.5 shrink-0" />
            {t.notHeard}
          </p>
        )}
        <Outlet />
      </main>
      <nav
        aria-label={t.nav.label}
        className="fixed inset-x-0 bottom-0 z-30 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
      >
        <ul className="flex overflow-x-auto">
          {PAGES.map(({ to, name, icon: Icon }) => (
            <li key={to} className="min-w-16 flex-1">
              <Link
                to={to}
                activeOptions={{ exact: to === '/' }}
                className="flex h-16 flex-col items-center justify-center gap-1 text-xs font-medium text-ink-soft -outline-offset-2 aria-[current=page]:text-accent"
              >
                <Icon aria-hidden className="size-5" />
                {name}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
    </div>
  );
}

function LogOutButton() {
  const leave = useAction(logout, { refresh: [getSession] });
  return (
    <button
      type="button"
      onClick={() => leave.mutate({})}
      title={t.logOut}
      aria-label={t.logOut}
      className="grid size-9 place-items-center rounded-control text-ink-faint hover:bg-sunken hover:text-ink"
    >
      <LogOut aria-hidden className="size-4.5" />
    </button>
  );
}

/** A new page is announced: focus goes to it, as it would with a full load. */
function useFocusOnNavigation() {
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const main = useRef<HTMLElement>(null);
  const before = useRef(path);
  useEffect(() => {
    if (before.current !== path) main.current?.focus({ preventScroll: true });
    before.current = path;
  }, [path]);
  return main;
}
