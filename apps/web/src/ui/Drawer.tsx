import { Dialog } from '@base-ui/react/dialog';
import type { ReactNode } from 'react';
import { Icon } from './icons.tsx';

/** A panel from the side for what has no room beside the page. */
export default function Drawer(props: {
  side: 'left' | 'right';
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Dialog.Root open onOpenChange={(open) => !open && props.onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className={`drawer ${props.side}`}>
          <div className="drawer-head">
            <Dialog.Title>{props.title}</Dialog.Title>
            <Dialog.Close className="button icon quiet" aria-label="Close">
              <Icon name="close" />
            </Dialog.Close>
          </div>
          {props.children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
