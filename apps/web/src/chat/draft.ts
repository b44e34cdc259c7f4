import type { Attachment, SessionId } from '@maestro/protocol';
import { Signal } from '../live/signal.ts';
import { recall, remember } from '../ui/memory.ts';

export interface Draft {
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

const empty: Draft = { text: '', attachments: [] };
const drafts = new Map<SessionId, Signal<Draft>>();

const stored = (id: SessionId): Draft => {
  const kept = recall(`draft.${id}`);
  if (!kept) return empty;
  try {
    const value: unknown = JSON.parse(kept);
    if (typeof value !== 'object' || value === null) return empty;
    const text = 'text' in value && typeof value.text === 'string' ? value.text : '';
    const list = 'attachments' in value && Array.isArray(value.attachments) ? value.attachments : [];
    return { text, attachments: list.filter(isAttachment) };
  } catch (error) {
    console.info('A kept draft cannot be read:', error);
    return empty;
  }
};

const isAttachment = (value: unknown): value is Attachment =>
  typeof value === 'object' &&
  value !== null &&
  'blob_id' in value &&
  typeof value.blob_id === 'string' &&
  'media_type' in value &&
  typeof value.media_type === 'string';

/** What is typed for a session and not sent. It outlives reloads. */
export const draftOf = (id: SessionId): Signal<Draft> => {
  const held = drafts.get(id) ?? new Signal(stored(id));
  drafts.set(id, held);
  return held;
};

export const setDraft = (id: SessionId, draft: Draft): void => {
  draftOf(id).set(draft);
  remember(`draft.${id}`, draft.text === '' && draft.attachments.length === 0 ? null : JSON.stringify(draft));
};

/** Puts text back before whatever is being typed, so that neither is lost. */
export const giveBack = (id: SessionId, text: string, attachments: readonly Attachment[]): void => {
  const now = draftOf(id).get();
  setDraft(id, {
    text: now.text === '' ? text : `${text}\n\n${now.text}`,
    attachments: [...attachments, ...now.attachments],
  });
};

/** Back to the message box, after an action whose own control has gone. */
export const focusComposer = (): void =>
  document.querySelector<HTMLElement>('.composer-box')?.focus({ preventScroll: true });
