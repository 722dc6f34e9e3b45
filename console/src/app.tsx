// Who is asking, which tenant, which page.

import { Navigate, Route, Routes, useParams } from 'react-router';

import { Live } from './live';
import { PAGES } from './pages';
import { useTenants } from './queries';
import { useToken } from './session';
import { Shell } from './shell/Shell';
import { SignIn } from './shell/SignIn';
import { TenantContext } from './tenant';
import { Empty, Loaded, Page } from './ui';

export function App() {
  const token = useToken();
  if (!token) return <SignIn />;
  return (
    <Routes>
      <Route path="/:tenant/*" element={<InTenant />} />
      <Route path="*" element={<FirstTenant />} />
    </Routes>
  );
}

function FirstTenant() {
  const tenants = useTenants();
  return (
    <Loaded query={tenants}>
      {([first]) =>
        first ? (
          <Navigate to={`/${first.id}/money`} replace />
        ) : (
          <Page title="No tenant yet">
            <Empty>
              Make one with <code>tidegate tenant create --name "My company" --mode sandbox</code>, or start
              the demo: <code>tidegate serve --demo</code>.
            </Empty>
          </Page>
        )
      }
    </Loaded>
  );
}

function InTenant() {
  const { tenant: id } = useParams();
  const tenants = useTenants();
  return (
    <Loaded query={tenants}>
      {(all) => {
        const tenant = all.find((one) => one.id === id);
        if (!tenant) return <Navigate to="/" replace />;
        return (
          <TenantContext value={tenant}>
            <Live key={tenant.id} tenant={tenant.id}>
              <Shell tenants={all}>
                <Routes>
                  {PAGES.map(({ path, element }) => (
                    <Route key={path} path={`${path}/*`} element={element} />
                  ))}
                  <Route path="*" element={<Navigate to={`/${tenant.id}/money`} replace />} />
                </Routes>
              </Shell>
            </Live>
          </TenantContext>
        );
      }}
    </Loaded>
  );
}
