// What cannot be undone asks first.

import { Button, Dialog, Refusal } from './index';

export function Confirm(props: {
  title: string;
  /** What the button does, in the words of the title. */
  action: string;
  children: React.ReactNode;
  busy: boolean;
  error: Error | null;
  onDo: () => void;
  onClose: () => void;
}) {
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <div>{props.children}</div>
      <Refusal error={props.error} />
      <footer className="dialog-foot">
        <Button onClick={props.onClose}>Cancel</Button>
        <Button kind="danger" busy={props.busy} onClick={props.onDo}>
          {props.action}
        </Button>
      </footer>
    </Dialog>
  );
}
