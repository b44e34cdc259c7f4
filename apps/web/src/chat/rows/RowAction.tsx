import type { Ref } from 'react';
import { announce } from '../../ui/announcer.tsx';
import { Icon, type IconName } from '../../ui/icons.tsx';

/** An action on a row. When it cannot be done it stays reachable, so that its reason can be read. */
export function RowAction(props: {
  icon: IconName;
  name: string;
  /** What it does, for its tooltip. */
  title: string;
  reason: string | null;
  ref?: Ref<HTMLButtonElement>;
  onAct: () => void;
}) {
  const { name, reason } = props;
  return (
    <button
      ref={props.ref}
      type="button"
      className="button small quiet"
      aria-disabled={reason !== null}
      aria-label={reason === null ? name : `${name}. ${reason}`}
      title={reason ?? props.title}
      onClick={() => (reason === null ? props.onAct() : announce(reason))}
    >
      <Icon name={props.icon} />
      {name}
    </button>
  );
}
