import { type Attachment, type ItemId, newId, type Session } from '@maestro/protocol';
import {
  type ClipboardEvent,
  type DragEvent,
  type KeyboardEvent,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react';
import { client, failureOf, uploadBlob } from '../live/maestro.ts';
import { useSignal } from '../live/signal.ts';
import { Icon } from '../ui/icons.tsx';
import { toldApart } from '../ui/told-apart.ts';
import { type Draft, draftOf, giveBack, setDraft } from './draft.ts';

const largest = 25 * 1024 * 1024;

/** The message box. Text leaves it only when the server has taken it; a refused message comes back with the reason. */
export function Composer({ session }: { session: Session }) {
  const signal = draftOf(session.id);
  const draft = useSignal(signal);
  const box = useRef<HTMLTextAreaElement>(null);
  const files = useRef<HTMLInputElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [uploading, setUploading] = useState(0);
  const [sending, setSending] = useState(false);
  const [over, setOver] = useState(false);
  /** A draft that came back because its sending was not answered: sent again untouched, it is the same message. */
  const unanswered = useRef<{ id: ItemId; draft: Draft } | null>(null);
  const running = session.status === 'running' || session.status === 'waiting';
  const archived = session.archived_at !== null;
  /** A program of its own takes nothing while it works. */
  const takesNow = session.auth_type !== 'cli';
  const fileNames = toldApart(draft.attachments.map(({ name }) => name ?? 'attachment'));
  const nothing = draft.text.trim() === '' && draft.attachments.length === 0;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const area = box.current;
    if (!area) return;
    area.style.height = 'auto';
    area.style.height = `${Math.min(area.scrollHeight, window.innerHeight * 0.4)}px`;
  }, [draft.text]);
  useEffect(() => box.current?.focus({ preventScroll: true }), []);

  const send = async (deliver: 'queue' | 'now'): Promise<void> => {
    if (nothing || sending || uploading > 0) return;
    const sent = draft;
    const blobs = sent.attachments.map((one) => one.blob_id);
    const id = unanswered.current?.draft === sent ? unanswered.current.id : newId<ItemId>('itm');
    setSending(true);
    setDraft(session.id, { text: '', attachments: [] });
    try {
      await client.sendMessage({
        params: { session_id: session.id },
        body: {
          id,
          text: sent.text,
          deliver,
          ...(blobs.length > 0 ? { attachments: blobs } : {}),
        },
      });
      setProblem(null);
    } catch (error) {
      giveBack(session.id, sent.text, sent.attachments);
      const back = signal.get();
      const isWhole = back.text === sent.text && back.attachments.length === sent.attachments.length;
      unanswered.current = isWhole ? { id, draft: back } : null;
      setProblem(`Not sent: ${failureOf(error).message}`);
    }
    setSending(false);
    box.current?.focus({ preventScroll: true });
  };

  const attach = async (list: readonly File[]): Promise<void> => {
    for (const file of list) {
      if (file.size > largest) {
        setProblem(`${file.name} is larger than 25 MB.`);
        continue;
      }
      setUploading((count) => count + 1);
      try {
        const blob = await uploadBlob(file);
        const attachment: Attachment = {
          blob_id: blob.id,
          media_type: blob.media_type,
          name: file.name,
          size: blob.size,
        };
        const now = signal.get();
        setDraft(session.id, { ...now, attachments: [...now.attachments, attachment] });
        setProblem(null);
      } catch (error) {
        setProblem(`${file.name} was not attached: ${failureOf(error).message}`);
      }
      setUploading((count) => count - 1);
    }
  };

  const keys = (event: KeyboardEvent): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    void send(running && (event.ctrlKey || event.metaKey) ? 'now' : 'queue');
  };
  const paste = (event: ClipboardEvent): void => {
    const images = [...event.clipboardData.files];
    if (images.length === 0) return;
    event.preventDefault();
    void attach(images);
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void attach([...event.dataTransfer.files]);
  };

  return (
    <form
      className={`composer${over ? ' over' : ''}`}
      aria-label="Message"
      onSubmit={(event) => {
        event.preventDefault();
        void send('queue');
      }}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      {problem && (
        <p className="banner error composer-problem" role="alert">
          {problem}
        </p>
      )}
      {draft.attachments.length > 0 && (
        <ul className="chips">
          {draft.attachments.map((one, index) => (
            <li key={one.blob_id} className="chip">
              {one.media_type.startsWith('image/') ? (
                <img src={`/api/v1/blobs/${one.blob_id}`} alt="" />
              ) : (
                <Icon name="file" />
              )}
              <span className="truncate">{one.name ?? one.media_type}</span>
              <button
                type="button"
                className="button icon quiet small"
                aria-label={`Remove ${fileNames[index]}`}
                onClick={() =>
                  setDraft(session.id, {
                    ...draft,
                    attachments: draft.attachments.filter((other) => other !== one),
                  })
                }
              >
                <Icon name="close" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <textarea
        ref={box}
        className="composer-box"
        rows={2}
        aria-label="Message to the agent"
        placeholder={running ? 'Add to the work: it is queued until the turn ends' : 'Message the agent'}
        value={draft.text}
        onChange={(event) => setDraft(session.id, { ...draft, text: event.target.value })}
        onKeyDown={keys}
        onPaste={paste}
      />
      <div className="composer-foot">
        <span className="hint composer-hint">
          {archived
            ? 'This session is archived; a message wakes it.'
            : running
              ? takesNow
                ? 'Enter queues, Ctrl Enter sends into the running turn'
                : 'Enter queues: this agent takes it when its turn ends'
              : 'Enter sends, Shift Enter makes a new line'}
        </span>
        <input
          ref={files}
          type="file"
          multiple
          hidden
          aria-label="Choose files"
          onChange={(event) => {
            void attach([...(event.target.files ?? [])]);
            event.target.value = '';
          }}
        />
        <button
          type="button"
          className="button"
          onClick={() => files.current?.click()}
          disabled={uploading > 0}
        >
          <Icon name="clip" />
          {uploading > 0 ? 'Attaching…' : 'Attach'}
        </button>
        {running && takesNow && (
          <button
            type="button"
            className="button"
            disabled={nothing || sending}
            onClick={() => void send('now')}
          >
            Send now
          </button>
        )}
        <button type="submit" className="button primary" disabled={nothing || sending || uploading > 0}>
          {running ? 'Queue' : 'Send'}
        </button>
      </div>
    </form>
  );
}
