import type { ItemId } from '@maestro/protocol';
import { memo } from 'react';
import { useItem } from '../../live/session.ts';
import { Approval } from './Approval.tsx';
import { AgentMessage, ChildRow, Notice, Question, UserMessage } from './messages.tsx';
import { Thought } from './Thought.tsx';
import { ToolCall } from './ToolCall.tsx';
import './rows.css';

/** One item of the transcript. It renders again only when its own item changed. */
export const Row = memo(function Row({ id }: { id: ItemId }) {
  const item = useItem(id);
  if (!item) return null;
  switch (item.kind) {
    case 'user_message':
      return <UserMessage item={item} />;
    case 'agent_message':
      return <AgentMessage item={item} />;
    case 'thought':
      return <Thought item={item} />;
    case 'tool_call':
      return <ToolCall item={item} />;
    case 'approval':
      return <Approval item={item} />;
    case 'question':
      return <Question item={item} />;
    case 'notice':
      return <Notice item={item} />;
    case 'child':
      return <ChildRow item={item} />;
  }
});
