import type { Credential, FlowId, LoginFlow, LoginProvider } from '@maestro/protocol';
import { useState } from 'react';
import { useCredentials } from '../live/facts.ts';
import { useLogins } from '../live/logins.ts';
import { failureOf } from '../live/maestro.ts';
import { toldApart } from '../ui/told-apart.ts';
import { LoginPanel } from './LoginPanel.tsx';
import { loginMemory, shownFlows } from './login-memory.ts';

/** The logins under way, whoever began them, and how those ended that were seen here. */
export function Logins(props: {
  /** Just begun here: it gets the focus. */
  begun: FlowId | null;
  onAgain: (provider: LoginProvider, credential: Credential | undefined) => void;
}) {
  const logins = useLogins();
  const saved = useCredentials().data ?? [];
  const [, setDismissed] = useState(0);
  const flows = shownFlows(logins.data?.flows ?? [], saved);
  if (logins.isError)
    return (
      <p className="banner error" role="alert">
        The logins cannot be listed: {failureOf(logins.error).message}
      </p>
    );
  if (flows.length === 0) return null;

  const credentialOf = (flow: LoginFlow): Credential | undefined => {
    const id = flow.credential_id ?? loginMemory.renews.get(flow.id);
    return saved.find((one) => one.id === id);
  };
  const vendorOf = ({ provider }: LoginFlow): string =>
    logins.data?.providers.find((one) => one.provider === provider)?.name ?? provider;
  // Newest first here; the first of a name keeps it.
  const names = toldApart(
    flows.map((flow) => `${vendorOf(flow)}: ${credentialOf(flow)?.name ?? flow.name}`).reverse(),
  ).reverse();
  return (
    <section aria-labelledby="logins-title">
      <h2 id="logins-title">Logins</h2>
      <ul className="providers">
        {flows.map((flow, index) => (
          <LoginPanel
            key={flow.id}
            flow={flow}
            name={vendorOf(flow)}
            called={names[index] ?? flow.name}
            credential={credentialOf(flow)}
            focused={flow.id === props.begun}
            onAgain={() => {
              loginMemory.dismissed.add(flow.id);
              props.onAgain(flow.provider, credentialOf(flow));
            }}
            onDismiss={() => {
              loginMemory.dismissed.add(flow.id);
              setDismissed((count) => count + 1);
            }}
          />
        ))}
      </ul>
    </section>
  );
}
