// Which events: by family and one by one.

import { expand, familyOf, namesOf, toggle, toggleFamily } from './names';

export function NameChooser(props: {
  among: readonly string[];
  value: readonly string[];
  onChange: (names: string[]) => void;
}) {
  const { among, value, onChange } = props;
  const on = new Set(expand(value, among));
  const families = [...new Set(among.map(familyOf))];
  return (
    <div className="name-chooser">
      {families.map((family) => {
        const names = namesOf(family, among);
        const count = names.filter((name) => on.has(name)).length;
        return (
          <div key={family} className="name-family" role="group" aria-label={family}>
            <label className="check">
              <input
                type="checkbox"
                checked={count === names.length}
                ref={(box) => {
                  if (box) box.indeterminate = count > 0 && count < names.length;
                }}
                onChange={() => onChange(toggleFamily(value, family, among))}
              />
              <strong>{(names.length === 1 ? (names[0] ?? family) : family).replaceAll(/[._]/g, ' ')}</strong>
            </label>
            {names.length > 1 &&
              names.map((name) => (
                <label key={name} className="check">
                  <input
                    type="checkbox"
                    checked={on.has(name)}
                    onChange={() => onChange(toggle(value, name, among))}
                  />
                  {name.slice(family.length + 1).replaceAll('_', ' ')}
                </label>
              ))}
          </div>
        );
      })}
    </div>
  );
}
