import { Dialog } from '@base-ui/react/dialog';
import type { ReactNode } from 'react';

/** A dialog over the page; Esc and a click outside close it. */
export default function Modal(props: {
  title: string;
  narrow?: boolean;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Dialog.Root open onOpenChange={(open) => !open && props.onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className={`dialog${props.narrow ? ' narrow' : ''}`}>
          <Dialog.Title>{props.title}</Dialog.Title>
          {props.children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
