// The pages, in the order of the menu.

import { AccountsPage } from './accounts/AccountsPage';
import { ApprovalsPage } from './approvals/ApprovalsPage';
import { ForecastPage } from './forecast/ForecastPage';
import { MoneyPage } from './money/MoneyPage';
import { RulesPage } from './rules/RulesPage';
import { RunsPage } from './runs/RunsPage';
import { StatusPage } from './status/StatusPage';
import { TemplatesPage } from './templates/TemplatesPage';
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
  { path: 'approvals', label: 'Approvals', group: 'Money', element: <ApprovalsPage /> },
  { path: 'rules', label: 'Rules', group: 'Rules', element: <RulesPage /> },
  { path: 'runs', label: 'Runs', group: 'Rules', element: <RunsPage /> },
  { path: 'templates', label: 'Templates', group: 'Rules', element: <TemplatesPage /> },
  { path: 'forecast', label: 'Forecast', group: 'Rules', element: <ForecastPage /> },
  { path: 'status', label: 'Server', group: 'Tenant', element: <StatusPage /> },
];
