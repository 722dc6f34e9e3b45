// The pages, in the order of the menu.

import { AccountsPage } from './accounts/AccountsPage';
import { MoneyPage } from './money/MoneyPage';
import { StatusPage } from './status/StatusPage';
import { TransfersPage } from './transfers/TransfersPage';

interface PageEntry {
  path: string;
  label: string;
  group: 'Money' | 'Rules' | 'Building' | 'Tenant';
  element: React.ReactNode;
}

export const PAGES: readonly PageEntry[] = [
  { path: 'money', label: 'Money', group: 'Money', element: <MoneyPage /> },
  { path: 'accounts', label: 'Accounts', group: 'Money', element: <AccountsPage /> },
  { path: 'transfers', label: 'Transfers', group: 'Money', element: <TransfersPage /> },
  { path: 'status', label: 'Server', group: 'Tenant', element: <StatusPage /> },
];
