import { Route, Routes } from 'react-router';

import { TransferDetail } from './TransferDetail';
import { TransferList } from './TransferList';

export function TransfersPage() {
  return (
    <Routes>
      <Route index element={<TransferList />} />
      <Route path=":transfer" element={<TransferDetail />} />
    </Routes>
  );
}
