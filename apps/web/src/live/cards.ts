import type { CardsWatch } from '@maestro/client';
import type { Card, SessionId } from '@maestro/protocol';
import { useCallback, useSyncExternalStore } from 'react';
import { needsPerson } from '../ui/format.ts';
import { toldApart } from '../ui/told-apart.ts';
import { live } from './maestro.ts';
import { inNextFrame } from './signal.ts';

type Folder = 'all' | 'chat' | 'task';

const inFolder: Record<Folder, (card: Card) => boolean> = {
  all: () => true,
  chat: (card) => card.kind === 'chat',
  task: (card) => card.kind !== 'chat',
};

let watch: CardsWatch | null = null;
const cards = (): CardsWatch => {
  watch ??= live().watchCards();
  return watch;
};

/** The ids of each folder; a list keeps its identity while its order stays, so that a card's news does not redraw it. */
const lists: Record<Folder, readonly SessionId[]> = { all: [], chat: [], task: [] };
const listOf = (folder: Folder): readonly SessionId[] => {
  const held = lists[folder];
  const next = cards()
    .list.filter((card) => card.archived_at === null && inFolder[folder](card))
    .map((card) => card.id);
  if (next.length === held.length && next.every((id, index) => id === held[index])) return held;
  lists[folder] = next;
  return next;
};

const onList = (listener: () => void): (() => void) => cards().onList(() => inNextFrame(listener));

export const useCardIds = (folder: Folder): readonly SessionId[] =>
  useSyncExternalStore(onList, () => listOf(folder));

/** How many sessions wait for the person. */
export const useNeedsYou = (): number =>
  useSyncExternalStore(
    onList,
    () => cards().list.filter((card) => card.archived_at === null && needsPerson(card)).length,
  );

/** Whether the list is whole and current. */
export const useCardsLive = (): boolean =>
  useSyncExternalStore(
    (listener) => cards().live.listen(listener),
    () => cards().live.value,
  );

export const useCard = (id: SessionId): Card | undefined => {
  const subscribe = useCallback(
    (listener: () => void) => cards().onCard(id, () => inNextFrame(listener)),
    [id],
  );
  return useSyncExternalStore(subscribe, () => cards().get(id));
};

let names: { readonly list: readonly Card[]; readonly of: ReadonlyMap<SessionId, string> } | null = null;

/** The title of a session as no other has it; the oldest of those that share one keeps it. */
export const calledOf = ({ id, title }: Card): string => {
  const { list } = cards();
  if (names?.list !== list) {
    const oldest = list
      .filter((card) => card.archived_at === null)
      .toSorted((a, b) => a.created_at.localeCompare(b.created_at));
    const called = toldApart(oldest.map((card) => card.title));
    names = { list, of: new Map(oldest.map((card, index) => [card.id, called[index] ?? card.title])) };
  }
  return names.of.get(id) ?? title;
};
