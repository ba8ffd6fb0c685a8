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

/** The pages of the navigation, in its order. */
export const PAGES: readonly {
  readonly to: '/' | '/chat' | '/runs' | '/skills' | '/policy' | '/security' | '/secrets' | '/audit' | '/system';
  readonly name: string;
  readonly icon: LucideIcon;
}[] = [
  { to: '/', name: t.nav.home, icon: House },
  { to: '/chat', name: t.nav.chat, icon: MessageCircle },
  { to: '/runs', name: t.nav.runs, icon: ListChecks },
  { to: '/skills', name: t.nav.skills, icon: Blocks },
  { to: '/policy', name: t.nav.policy, icon: Scale },
  { to: '/security', name: t.nav.security, icon: ShieldCheck },
  { to: '/secrets', name: t.nav.secrets, icon: KeyRound },
  { to: '/audit', name: t.nav.audit, icon: ScrollText },
  { to: '/system', name: t.nav.system, icon: Activity },
];
