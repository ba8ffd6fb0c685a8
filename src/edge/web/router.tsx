import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { Gate } from './shell/gate.tsx';
import { PageHead } from './shell/page-head.tsx';
import { t } from './strings.ts';
import { buttonClass } from './ui/button.tsx';
import { Empty } from './ui/empty.tsx';
import { ErrorBox } from './ui/error-box.tsx';

/** The pages by their addresses; each is loaded when first gone to. */
function createPages(code: string | null) {
  const root = createRootRoute({ component: () => <Gate code={code} />, notFoundComponent: NotFound });
  return root.addChildren([
    createRoute({
      getParentRoute: () => root,
      path: '/',
      component: lazyRouteComponent(() => import('./pages/home/home-page.tsx'), 'HomePage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: '/chat',
      component: lazyRouteComponent(() => import('./pages/chat/chat-page.tsx'), 'ChatPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: '/chat/$id',
      component: lazyRouteComponent(() => import('./pages/chat/chat-page.tsx'), 'ConversationPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: '/runs',
      component: lazyRouteComponent(() => import('./pages/runs/runs-page.tsx'), 'RunsPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: '/runs/$id',
      component: lazyRouteComponent(() => import('./pages/runs/run-page.tsx'), 'RunPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: '/policy',
      component: lazyRouteComponent(() => import('./pages/policy/policy-page.tsx'), 'PolicyPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: '/security',
      component: lazyRouteComponent(() => import('./pages/security/security-page.tsx'), 'SecurityPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: '/skills',
      component: lazyRouteComponent(() => import('./pages/skills/skills-page.tsx'), 'SkillsPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: '/skills/$name',
      component: lazyRouteComponent(() => import('./pages/skills/skill-page.tsx'), 'SkillPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: '/secrets',
      component: lazyRouteComponent(() => import('./pages/secrets/secrets-page.tsx'), 'SecretsPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: '/connections/callback',
      component: lazyRouteComponent(() => import('./pages/secrets/callback-page.tsx'), 'CallbackPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: '/audit',
      component: lazyRouteComponent(() => import('./pages/audit/audit-page.tsx'), 'AuditPage'),
    }),
    createRoute({
      getParentRoute: () => root,
      path: '/system',
      component: lazyRouteComponent(() => import('./pages/system/system-page.tsx'), 'SystemPage'),
    }),
  ]);
}

/** `code` is of a login link, already taken out of the address. */
export function createPageRouter(code: string | null) {
  return createRouter({
    routeTree: createPages(code),
    defaultPreload: 'intent',
    scrollRestoration: true,
    defaultErrorComponent: Broken,
    defaultNotFoundComponent: NotFound,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createPageRouter>;
  }
}

function NotFound() {
  return (
    <Empty icon={Compass} title={t.error.notFoundTitle}>
      <p>{t.error.notFound}</p>
      <Link to="/" className={`mt-4 ${buttonClass()}`}>
        {t.error.goHome}
      </Link>
    </Empty>
  );
}

function Broken({ error, reset }: { readonly error: unknown; readonly reset: () => void }) {
  return (
    <>
      <PageHead title={t.error.pageTitle} />
      <ErrorBox error={error} onRetry={reset} />
    </>
  );
}
