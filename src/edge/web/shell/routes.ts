import { Activity, House, ListChecks, type LucideIcon } from 'lucide-react';
import { t } from '../strings.ts';

/** The pages of the navigation, in its order. */
export const PAGES: readonly { readonly to: '/' | '/runs' | '/system'; readonly name: string; readonly icon: LucideIcon }[] = [
  { to: '/', name: t.nav.home, icon: House },
  { to: '/runs', name: t.nav.runs, icon: ListChecks },
  { to: '/system', name: t.nav.system, icon: Activity },
];
