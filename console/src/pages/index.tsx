// The pages, in the order of the menu.

import { MoneyPage } from './money/MoneyPage';

interface PageEntry {
  path: string;
  label: string;
  group: 'Money' | 'Rules' | 'Building' | 'Tenant';
  element: React.ReactNode;
}

export const PAGES: readonly PageEntry[] = [
  { path: 'money', label: 'Money', group: 'Money', element: <MoneyPage /> },
];
