// Whom or what events are about: accounts and owners, added one by one.

import { useAccounts, useOwners } from '../../queries';
import { Field } from '../../ui';

interface Value {
  accounts: readonly string[];
  owners: readonly string[];
}

export function AboutChooser({ value, onChange }: { value: Value; onChange: (value: Value) => void }) {
  const accounts = useAccounts().data ?? [];
  const owners = useOwners().data ?? [];
  return (
    <div className="columns">
      <Several
        label="Only about these accounts"
        of={accounts.map(({ id, name, owner_name }) => [id, `${name} (${owner_name})`])}
        value={value.accounts}
        onChange={(accounts) => onChange({ ...value, accounts })}
      />
      <Several
        label="Only about these owners"
        of={owners.map(({ id, name }) => [id, name])}
        value={value.owners}
        onChange={(owners) => onChange({ ...value, owners })}
      />
    </div>
  );
}

/** Some of a list, chosen one by one. */
export function Several(props: {
  label: string;
  /** What nothing chosen means. */
  none?: string;
  of: [string, string][];
  value: readonly string[];
  onChange: (ids: string[]) => void;
}) {
  const { label, of, value, onChange, none = 'All' } = props;
  const names = new Map(of);
  return (
    <div className="several">
      <Field label={label}>
        {(id) => (
          <select
            id={id}
            value=""
            onChange={(event) => event.target.value && onChange([...value, event.target.value])}
          >
            <option value="">{value.length === 0 ? none : 'Add another'}</option>
            {of
              .filter(([id]) => !value.includes(id))
              .map(([id, name]) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
          </select>
        )}
      </Field>
      <div className="chips">
        {value.map((id) => (
          <Chip key={id} onRemove={() => onChange(value.filter((one) => one !== id))}>
            {names.get(id) ?? id}
          </Chip>
        ))}
      </div>
    </div>
  );
}

/** Something chosen, to be taken away again. */
export function Chip({ children, onRemove }: { children: string; onRemove: () => void }) {
  return (
    <span className="chip">
      {children}
      <button type="button" aria-label={`Without ${children}`} onClick={onRemove}>
        ×
      </button>
    </span>
  );
}
