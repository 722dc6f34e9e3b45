// Rules that many people want: choose one, say where, switch it on.

import { useState } from 'react';

import { useAccounts } from '../../queries';
import { Button, Empty, Loaded, Page } from '../../ui';
import { TemplateDialog } from './TemplateDialog';
import { type Template, TEMPLATES } from './templates';

import './templates.css';

export function TemplatesPage() {
  const accounts = useAccounts();
  const [chosen, setChosen] = useState<Template | null>(null);
  return (
    <Page
      title="Templates"
      about="Rules that many people want, made from a few facts. What is made is a rule like any other: it can be simulated, changed, and switched on and off."
    >
      <Loaded query={accounts}>
        {(accounts) =>
          accounts.length === 0 ? (
            <Empty>
              A rule moves money between accounts, and there is none yet: <code>tidegate account create</code>
              .
            </Empty>
          ) : (
            <>
              <ul className="gallery">
                {TEMPLATES.map((template) => (
                  <li key={template.name} className="panel">
                    <h2>{template.title}</h2>
                    <p className="about">{template.about}</p>
                    <footer>
                      <span className="state">{template.runs}</span>
                      <Button
                        aria-label={`Use ${template.title}`}
                        kind="primary"
                        onClick={() => setChosen(template)}
                      >
                        Use
                      </Button>
                    </footer>
                  </li>
                ))}
              </ul>
              {chosen && (
                <TemplateDialog template={chosen} accounts={accounts} onClose={() => setChosen(null)} />
              )}
            </>
          )
        }
      </Loaded>
    </Page>
  );
}
