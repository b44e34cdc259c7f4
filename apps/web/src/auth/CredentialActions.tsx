import type { Credential, RouteInput, Routes } from '@maestro/protocol';
import { needsLogin } from '../live/facts.ts';
import { client } from '../live/maestro.ts';
import { exactly } from '../ui/format.ts';

export interface Outcome {
  readonly ok: boolean;
  readonly text: string;
}

export const testCredential = async ({ id }: Credential): Promise<Outcome> => {
  const { ok, message } = await client.testCredential({ params: { id } });
  return { ok, text: message };
};

const refresh = async ({ id }: Credential): Promise<Outcome> => {
  const { ok, message } = await client.refreshCredential({ params: { id } });
  return { ok, text: message };
};

type Change = RouteInput<Routes['patchCredential']>['body'];

/** Everything that can be done to a saved credential, and the facts its line has no room for. */
export function CredentialActions(props: {
  credential: Credential;
  /** Provider and name, for who hears the buttons without seeing the line. */
  called: string;
  busy: string | null;
  run: (what: string, act: () => Promise<Outcome | null>) => Promise<void>;
  onLogin: () => void;
  onEdit: () => void;
  onDelete: () => void;
}) {
  const { credential, called, busy, run } = props;
  const { id } = credential;
  const login = credential.auth_type === 'oauth';
  const over = needsLogin(credential);

  const action = (words: string, act: () => void, look = '') => (
    <button
      type="button"
      className={`button small ${look}`}
      aria-label={`${words} ${called}`}
      disabled={busy !== null || words === 'Refreshing…'}
      onClick={act}
    >
      {words}
    </button>
  );
  const patch = (body: Change, text: string) => () =>
    void run('change', async () => {
      await client.patchCredential({ params: { id }, body });
      return { ok: true, text };
    });

  return (
    <div className="credential-more">
      <dl className="provider-facts">
        <div>
          <dt>Header profile</dt>
          <dd className="mono">
            {credential.profile_in_force ?? credential.profile ?? 'not known yet'}
            {credential.profile && credential.profile_in_force !== credential.profile && (
              <span className="muted"> (chosen: {credential.profile})</span>
            )}
          </dd>
        </div>
        {credential.expires_at && (
          <div>
            <dt>Expires</dt>
            <dd>{exactly(credential.expires_at)}</dd>
          </div>
        )}
        <div>
          <dt>Saved</dt>
          <dd>{exactly(credential.created_at)}</dd>
        </div>
      </dl>
      <div className="credential-actions">
        {over && action('Test', () => void run('test', () => testCredential(credential)))}
        {login &&
          !over &&
          action(
            busy === 'refresh' || credential.refreshing ? 'Refreshing…' : 'Refresh now',
            () => void run('refresh', () => refresh(credential)),
          )}
        {login && !over && action('Log in again', props.onLogin)}
        {!credential.is_default &&
          action('Make default', patch({ is_default: true }, 'It comes first from now on.'))}
        {credential.is_enabled
          ? action('Pause', patch({ is_enabled: false }, 'Paused: no call uses it until it is resumed.'))
          : action('Resume', patch({ is_enabled: true }, 'Calls may use it again.'))}
        {action('Edit', props.onEdit)}
        {action('Delete', props.onDelete, 'danger')}
      </div>
    </div>
  );
}
