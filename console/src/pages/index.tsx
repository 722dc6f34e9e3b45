// The pages, in the order of the menu.

import { AccountsPage } from './accounts/AccountsPage';
import { EventsPage } from './events/EventsPage';
import { FaultsPage } from './faults/FaultsPage';
import { KeysPage } from './keys/KeysPage';
import { MoneyPage } from './money/MoneyPage';
import { SettingsPage } from './settings/SettingsPage';
import { StatusPage } from './status/StatusPage';
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
  { path: 'events', label: 'Events', group: 'Building', element: <EventsPage /> },
  { path: 'webhooks', label: 'Webhooks', group: 'Building', element: <WebhooksPage /> },
  { path: 'faults', label: 'Faults', group: 'Building', element: <FaultsPage /> },
  { path: 'keys', label: 'Keys', group: 'Building', element: <KeysPage /> },
  { path: 'settings', label: 'Settings', group: 'Tenant', element: <SettingsPage /> },
  { path: 'status', label: 'Server', group: 'Tenant', element: <StatusPage /> },
];
