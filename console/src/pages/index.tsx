// The pages, in the order of the menu.

import { AccountsPage } from './accounts/AccountsPage';
import { ApprovalsPage } from './approvals/ApprovalsPage';
import { ForecastPage } from './forecast/ForecastPage';
import { MoneyPage } from './money/MoneyPage';
import { RulesPage } from './rules/RulesPage';
import { RunsPage } from './runs/RunsPage';
import { EventsPage } from './events/EventsPage';
import { FaultsPage } from './faults/FaultsPage';
import { KeysPage } from './keys/KeysPage';
import { SettingsPage } from './settings/SettingsPage';
import { StatusPage } from './status/StatusPage';
import { TemplatesPage } from './templates/TemplatesPage';
import { TransfersPage } from './transfers/TransfersPage';
import { WebhooksPage } from './webhooks/WebhooksPage';

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
  { path: 'events', label: 'Events', group: 'Building', element: <EventsPage /> },
  { path: 'webhooks', label: 'Webhooks', group: 'Building', element: <WebhooksPage /> },
  { path: 'faults', label: 'Faults', group: 'Building', element: <FaultsPage /> },
  { path: 'keys', label: 'Keys', group: 'Building', element: <KeysPage /> },
  { path: 'settings', label: 'Settings', group: 'Tenant', element: <SettingsPage /> },
  { path: 'status', label: 'Server', group: 'Tenant', element: <StatusPage /> },
];
