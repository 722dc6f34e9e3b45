import { Route, Routes } from 'react-router';

import { AccountDetail } from './AccountDetail';
import { AccountList } from './AccountList';

export function AccountsPage() {
  return (
    <Routes>
      <Route index element={<AccountList />} />
      <Route path=":account" element={<AccountDetail />} />
    </Routes>
  );
}
