// What every page has around it: where one can go, which tenant, its clock, and whether events come in.

import { NavLink, useLocation, useNavigate } from 'react-router';

import type { Tenant } from '../api/client';
import { useLine } from '../live';
import mark from '../mark.svg';
import { PAGES } from '../pages';
import { useApprovals, useSettings } from '../queries';
import { signOut } from '../session';
import { useTenant } from '../tenant';
import { ClockButton } from './Clock';

const LINES = { open: 'live', connecting: 'connecting…', lost: 'not connected' };

export function Shell({ tenants, children }: { tenants: Tenant[]; children: React.ReactNode }) {
  const tenant = useTenant();
  const line = useLine();
  const waiting = useApprovals().data?.length ?? 0;
  const faults = useSettings().data?.faults.length ?? 0;
  const navigate = useNavigate();
  const page = useLocation().pathname.split('/')[2] ?? 'money';
  const groups = Map.groupBy(PAGES, ({ group }) => group);
  return (
    <div className="shell">
      <nav className="side" aria-label="Pages">
        <div className="brand">
          <img src={mark} alt="" width="28" height="28" /> Tidegate
        </div>
        {[...groups].map(([group, pages]) => (
          <div key={group} className="side-group">
            <h2>{group}</h2>
            {pages.map(({ path, label }) => (
              <NavLink key={path} to={`/${tenant.id}/${path}`}>
                {label}
                {path === 'approvals' && waiting > 0 && <span className="badge">{waiting}</span>}
                {path === 'faults' && faults > 0 && (
                  <span className="badge" title="Faults that are switched on">
                    {faults}
                  </span>
                )}
              </NavLink>
            ))}
          </div>
        ))}
        <div className="side-foot">
          <span className={`line ${line}`}>{LINES[line]}</span>
          <button type="button" className="link" onClick={signOut}>
            Sign out
          </button>
        </div>
      </nav>
      <div className="body">
        <header className="top">
          <select
            aria-label="Tenant"
            value={tenant.id}
            onChange={(event) => void navigate(`/${event.target.value}/${page}`)}
          >
            {tenants.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
          <span className={`mode ${tenant.mode}`}>{tenant.mode}</span>
          <ClockButton />
        </header>
        {children}
      </div>
    </div>
  );
}
