// What the page shows of the log: the filter in chips, and its dialog.

import { useState } from 'react';

import { useAccounts, useOwners } from '../../queries';
import { Button, Dialog } from '../../ui';
import { AboutChooser, Chip } from './AboutChooser';
import { isEmpty } from './filter';
import type { Filter } from './log';
import { NameChooser } from './NameChooser';
import { NAMES } from './names';

export function FilterBar({ filter, onChange }: { filter: Filter; onChange: (filter: Filter) => void }) {
  const [open, setOpen] = useState(false);
  const accounts = useAccounts().data ?? [];
  const owners = useOwners().data ?? [];
  const without = (list: keyof Filter, one: string): void =>
    onChange({ ...filter, [list]: filter[list].filter((other) => other !== one) });
  return (
    <>
      <Button onClick={() => setOpen(true)}>Filter</Button>
      {isEmpty(filter) && <span className="quiet">Everything is shown</span>}
      {filter.types.map((name) => (
        <Chip key={name} onRemove={() => without('types', name)}>
          {name}
        </Chip>
      ))}
      {filter.accounts.map((id) => (
        <Chip key={id} onRemove={() => without('accounts', id)}>
          {accounts.find((one) => one.id === id)?.name ?? id}
        </Chip>
      ))}
      {filter.owners.map((id) => (
        <Chip key={id} onRemove={() => without('owners', id)}>
          {owners.find((one) => one.id === id)?.name ?? id}
        </Chip>
      ))}
      {open && <FilterDialog filter={filter} onChange={onChange} onClose={() => setOpen(false)} />}
    </>
  );
}

function FilterDialog(props: { filter: Filter; onChange: (filter: Filter) => void; onClose: () => void }) {
  const [draft, setDraft] = useState(props.filter);
  const done = (filter: Filter): void => {
    props.onChange(filter);
    props.onClose();
  };
  return (
    <Dialog title="Which events" wide onClose={props.onClose}>
      <p className="about">Nothing chosen means everything.</p>
      <NameChooser
        among={NAMES}
        value={draft.types}
        onChange={(types) => setDraft((draft) => ({ ...draft, types }))}
      />
      <AboutChooser value={draft} onChange={(about) => setDraft((draft) => ({ ...draft, ...about }))} />
      <footer className="dialog-foot">
        <Button onClick={() => done({ types: [], accounts: [], owners: [] })}>Show everything</Button>
        <Button kind="primary" onClick={() => done(draft)}>
          Show these
        </Button>
      </footer>
    </Dialog>
  );
}
