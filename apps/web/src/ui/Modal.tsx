import { Dialog } from '@base-ui/react/dialog';
import type { ReactNode } from 'react';

/** A dialog over the page; Esc and a click outside close it. */
export default function Modal(props: {
  title: string;
  narrow?: boolean;
  /** Asked when it has closed: whether the focus goes back to where it was. Without it, yes. */
  returnsFocus?: () => boolean;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Dialog.Root open onOpenChange={(open) => !open && props.onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup
          className={`dialog${props.narrow ? ' narrow' : ''}`}
          finalFocus={() => props.returnsFocus?.() ?? true}
        >
          <Dialog.Title>{props.title}</Dialog.Title>
          {props.children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
