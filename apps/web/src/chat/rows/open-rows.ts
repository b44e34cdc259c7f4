import type { ItemId } from '@maestro/protocol';
import { useState } from 'react';

/** The person's own open or closed choices; they outlive the row, which unmounts as it scrolls away. */
const choices = new Map<ItemId, boolean>();

/** Open by default or by the person's choice; the choice sticks. */
export const useOpen = (id: ItemId, byDefault: boolean): [boolean, () => void] => {
  const [choice, setChoice] = useState(() => choices.get(id));
  const open = choice ?? byDefault;
  const toggle = (): void => {
    choices.set(id, !open);
    setChoice(!open);
  };
  return [open, toggle];
};
