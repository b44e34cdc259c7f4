import type { Conversation, ConversationId, Session } from '@maestro/protocol';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { client, failureOf } from '../live/maestro.ts';
import { useBusy } from '../live/session.ts';
import { later } from '../ui/later.tsx';

const BranchMenu = later(() => import('./BranchMenu.tsx'));

/** Which branch of the conversation is shown, and the way to the others. Nothing while there is only one. */
export function Branches({ session }: { session: Session }) {
  const running = useBusy();
  const [problem, setProblem] = useState<string | null>(null);
  const { data, refetch } = useQuery({
    queryKey: ['branches', session.id],
    queryFn: () => client.listConversations({ params: { session_id: session.id } }),
    staleTime: 0,
  });
  const branches: readonly Conversation[] = data?.conversations ?? [];
  const unheardOf = data !== undefined && !branches.some((branch) => branch.id === session.conversation_id);
  useEffect(() => {
    if (unheardOf) void refetch();
  }, [unheardOf, refetch]);
  if (branches.length < 2) return null;

  const activate = async (id: ConversationId): Promise<void> => {
    if (id === session.conversation_id) return;
    try {
      await client.activateConversation({ params: { session_id: session.id }, body: { id } });
      setProblem(null);
    } catch (error) {
      setProblem(failureOf(error).message);
    }
  };
  return (
    <>
      <BranchMenu
        branches={branches}
        active={session.conversation_id}
        reason={running ? 'Not while a turn runs: wait until it has ended, or stop it.' : null}
        onOpen={() => void refetch()}
        onChoose={(id) => void activate(id)}
      />
      {problem && (
        <span className="field-error" role="alert">
          {problem}
        </span>
      )}
    </>
  );
}
