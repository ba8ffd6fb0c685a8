import {
  Activity,
  Blocks,
  House,
  KeyRound,
  ListChecks,
  MessageCircle,
  Scale,
  ScrollText,
  ShieldCheck,
  type LucideIcon,
} from 'lucide-react';
import { t } from '../strings.ts';

/** A page of the navigation. */
export interface NavPage {
  readonly to: '/' | '/chat' | '/runs' | '/skills' | '/policy' | '/security' | '/secrets' | '/audit' | '/system';
  readonly name: string;
  readonly icon: LucideIcon;
}

/** What one comes for every day: always in sight, on a phone too. */
export const DAILY_PAGES: readonly NavPage[] = [
  { to: '/', name: t.nav.home, icon: House },
  { to: '/chat', name: t.nav.chat, icon: MessageCircle },
  { to: '/runs', name: t.nav.runs, icon: ListChecks },
  { to: '/skills', name: t.nav.skills, icon: Blocks },
];

/** Where the agent is kept in hand; a phone has them behind "More". */
export const CONTROL_PAGES: readonly NavPage[] = [
  { to: '/policy', name: t.nav.policy, icon: Scale },
  { to: '/security', name: t.nav.security, icon: ShieldCheck },
  { to: '/secrets', name: t.nav.secrets, icon: KeyRound },
  { to: '/audit', name: t.nav.audit, icon: ScrollText },
  { to: '/system', name: t.nav.system, icon: Activity },
];
