// The pages, in the order of the menu.

import { MoneyPage } from './money/MoneyPage';
import { RulesPage } from './rules/RulesPage';
import { RunsPage } from './runs/RunsPage';

interface PageEntry {
  path: string;
  label: string;
  group: 'Money' | 'Rules' | 'Building' | 'Tenant';
  element: React.ReactNode;
}

export const PAGES: readonly PageEntry[] = [
  { path: 'money', label: 'Money', group: 'Money', element: <MoneyPage /> },
  { path: 'rules', label: 'Rules', group: 'Rules', element: <RulesPage /> },
  { path: 'runs', label: 'Runs', group: 'Rules', element: <RunsPage /> },
];
