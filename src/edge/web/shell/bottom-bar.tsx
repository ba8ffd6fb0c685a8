import { Link, useRouterState } from '@tanstack/react-router';
import { Ellipsis } from 'lucide-react';
import { useRef } from 'react';
import { t } from '../strings.ts';
import { CONTROL_PAGES, DAILY_PAGES } from './routes.ts';

const ITEM =
  'flex h-16 w-full flex-col items-center justify-center gap-1 text-xs font-medium text-ink-soft -outline-offset-2 aria-[current]:text-accent';

/** The navigation of a phone: the daily pages under the thumb, the others behind "More". */
export function BottomBar() {
  const menu = useRef<HTMLDivElement>(null);
  const isBehind = useRouterState({ select: ({ location }) => CONTROL_PAGES.some(({ to }) => location.pathname.startsWith(to)) });
  return (
    <nav
      aria-label={t.nav.label}
      className="fixed inset-x-0 bottom-0 z-30 border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      <ul className="grid grid-cols-5">
        {DAILY_PAGES.map(({ to, name, icon: Icon }) => (
          <li key={to}>
            <Link to={to} activeOptions={{ exact: to === '/' }} className={ITEM}>
              <Icon aria-hidden className="size-5" />
              {name}
            </Link>
          </li>
        ))}
        <li>
          <button type="button" popoverTarget="more-pages" aria-current={isBehind ? 'true' : undefined} className={ITEM}>
            <Ellipsis aria-hidden className="size-5" />
            {t.nav.more}
          </button>
        </li>
      </ul>
      {/* The browser's own popover: Escape and a touch beside it close it, and focus goes back to the button. */}
      <div
        ref={menu}
        id="more-pages"
        popover="auto"
        className="fixed inset-x-3 top-auto bottom-[calc(4.5rem+env(safe-area-inset-bottom))] m-0 w-auto rounded-card border border-line bg-surface p-2 text-ink shadow-high backdrop:bg-veil"
      >
        <ul aria-label={t.nav.control}>
          {CONTROL_PAGES.map(({ to, name, icon: Icon }) => (
            <li key={to}>
              <Link
                to={to}
                onClick={() => menu.current?.hidePopover()}
                className="flex h-12 items-center gap-3 rounded-control px-3 font-medium text-ink-soft -outline-offset-2 aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent"
              >
                <Icon aria-hidden className="size-5" />
                {name}
              </Link>
            </li>
          ))}
        </ul>
      </div>
    </nav>
  );
}
