// One attempt, as it went over the wire.

import type { Attempt } from '../../api/client';
import { CopyButton } from '../../ui/Copy';
import { answered, pretty, sent } from './words';

export function Transcript({ attempt }: { attempt: Attempt }) {
  const { url, address, headers, body } = sent(attempt);
  return (
    <div className="transcript">
      <section>
        <h3>Request</h3>
        <pre className="json">
          {`POST ${url}\n${headers.map(([name, value]) => `${name}: ${value}`).join('\n')}\n\n${pretty(body)}`}
        </pre>
        <div className="actions">
          <CopyButton text={body} what="Copy the body as it was sent" />
          <span className="quiet">
            The body is shown with lines; the signature is over the bytes as they were sent
            {address && `, to ${address}`}.
          </span>
        </div>
      </section>
      <section>
        <h3>
          Answer, after {attempt.elapsed_ms.toLocaleString('en')} ms:{' '}
          <span className={`state ${attempt.delivered ? 'good' : 'bad'}`}>{answered(attempt)}</span>
        </h3>
        {attempt.answer ? (
          <pre className="json">{pretty(attempt.answer)}</pre>
        ) : (
          <p className="quiet">{attempt.status === null ? 'There was none.' : 'Its body was empty.'}</p>
        )}
      </section>
    </div>
  );
}
