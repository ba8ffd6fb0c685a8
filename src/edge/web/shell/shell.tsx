import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { LogOut, WifiOff } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { getSession, logout } from '#owner/contract';
import { useLive } from '../api/use-live.ts';
import { useAction } from '../api/use-endpoint.ts';
import { t } from '../strings.ts';
import { Brand } from './brand.tsx';
import { BottomBar } from './bottom-bar.tsx';
import { CONTROL_PAGES, DAILY_PAGES, type NavPage } from './routes.ts';
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
          <nav aria-label={t.nav.label} className="-mx-1 min-h-0 flex-1 space-y-6 overflow-y-auto p-1">
            <SideLinks pages={DAILY_PAGES} />
            <div>
              <h2 id="nav-control" className="mb-1.5 px-3 text-xs font-medium text-ink-faint">
                {t.nav.control}
              </h2>
              <SideLinks pages={CONTROL_PAGES} labelledBy="nav-control" />
            </div>
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
      <BottomBar />
    </div>
  );
}

function SideLinks({ pages, labelledBy }: { readonly pages: readonly NavPage[]; readonly labelledBy?: string }) {
  return (
    <ul aria-labelledby={labelledBy} className="space-y-1">
      {pages.map(({ to, name, icon: Icon }) => (
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
