import { Route, Routes } from 'react-router';

import { RunDetail } from './RunDetail';
import { RunList } from './RunList';

export function RunsPage() {
  return (
    <Routes>
      <Route index element={<RunList />} />
      <Route path=":run" element={<RunDetail />} />
    </Routes>
  );
}
