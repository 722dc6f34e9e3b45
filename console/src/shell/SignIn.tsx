import { useState } from 'react';

import mark from '../mark.svg';
import { signIn } from '../session';
import { Button, Field } from '../ui';

export function SignIn() {
  const [value, setValue] = useState('');
  return (
    <main className="sign-in">
      <form
        className="panel"
        onSubmit={(event) => {
          event.preventDefault();
          if (value.trim()) signIn(value);
        }}
      >
        <img src={mark} alt="" width="48" height="48" />
        <h1>Tidegate</h1>
        <Field
          label="Admin token"
          hint={
            <>
              It is in the file <code>admin.token</code> of the data folder.
            </>
          }
        >
          {(id) => (
            <input
              id={id}
              type="password"
              autoComplete="off"
              autoFocus
              value={value}
              onChange={(event) => setValue(event.target.value)}
            />
          )}
        </Field>
        <Button kind="primary" type="submit" disabled={!value.trim()}>
          Open the console
        </Button>
      </form>
    </main>
  );
}
