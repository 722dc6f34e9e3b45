// The parts of a page that have addresses of their own.

import { NavLink } from 'react-router';

export function LinkTabs({ label, of }: { label: string; of: readonly (readonly [string, string])[] }) {
  return (
    <nav className="link-tabs" aria-label={label}>
      {of.map(([to, name]) => (
        <NavLink key={to} to={to} end>
          {name}
        </NavLink>
      ))}
    </nav>
  );
}
