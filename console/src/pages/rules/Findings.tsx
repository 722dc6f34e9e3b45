// What the linter says of a rule.

import { Link } from 'react-router';

import type { Schemas } from '../../api/client';
import { useFindings, useRules } from '../../queries';
import { useTenant } from '../../tenant';
import { Loaded, State } from '../../ui';

export type Finding = Schemas['RuleFinding'];

/** Of one rule of an owner, beside all others. */
export function Findings({ owner, rule }: { owner: string; rule: string }) {
  const tenant = useTenant().id;
  const findings = useFindings(owner);
  const rules = useRules();
  const title = (id: string | null | undefined) =>
    rules.data?.find((one) => one.id === id)?.nickname ?? 'another rule';
  return (
    <Loaded query={findings}>
      {(all) => {
        const own = all.filter(({ rule_id }) => rule_id === rule);
        const others = new Set(all.map(({ rule_id }) => rule_id).filter((id) => id && id !== rule));
        return (
          <>
            {own.length === 0 ? (
              <p className="quiet fine">Nothing speaks against it.</p>
            ) : (
              <FindingList findings={own} />
            )}
            {others.size > 0 && (
              <p className="quiet fine">
                Something was found in what this owner has besides:{' '}
                {[...others].map((id, index) => (
                  <span key={id}>
                    {index > 0 && ', '}
                    <Link to={`/${tenant}/rules/${id}`}>{title(id)}</Link>
                  </span>
                ))}
                .
              </p>
            )}
          </>
        );
      }}
    </Loaded>
  );
}

/** Findings, one below the other; a click on a path shows its place if there is one to show. */
export function FindingList(props: {
  findings: readonly { message: string; code: string; path: string; severity?: Finding['severity'] }[];
  onPath?: (path: string) => void;
}) {
  const { findings, onPath } = props;
  return (
    <ul className="findings">
      {findings.map(({ message, code, path, severity = 'error' }) => (
        <li key={`${path} ${code} ${message}`}>
          <div>
            <State of={severity} /> {message}
          </div>
          <small className="quiet">
            <code>{code}</code>
            {path &&
              (onPath ? (
                <button type="button" className="link" onClick={() => onPath(path)}>
                  <code>{path}</code>
                </button>
              ) : (
                <code>{path}</code>
              ))}
          </small>
        </li>
      ))}
    </ul>
  );
}
