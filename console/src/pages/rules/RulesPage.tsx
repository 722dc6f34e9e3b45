import { Route, Routes } from 'react-router';

import { RuleDetail } from './RuleDetail';
import { RuleEditor, NewRule } from './RuleEditor';
import { RuleList } from './RuleList';

import './rules.css';

export function RulesPage() {
  return (
    <Routes>
      <Route index element={<RuleList />} />
      <Route path="new" element={<NewRule />} />
      <Route path=":rule" element={<RuleDetail />} />
      <Route path=":rule/edit" element={<RuleEditor />} />
    </Routes>
  );
}
