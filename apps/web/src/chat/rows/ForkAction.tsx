import type { ItemId } from '@maestro/protocol';
import { type Branching, useBranching } from '../branching.ts';
import { RowAction } from './RowAction.tsx';

export const ForkAction = ({ id, branching }: { id: ItemId; branching: Branching }) => (
  <RowAction
    icon="branch"
    name="Fork from here"
    title="Go on from here in a new branch"
    reason={branching.reason}
    onAct={() => void branching.fork(id)}
  />
);

export const BranchProblem = ({ branching }: { branching: Branching }) =>
  branching.problem && (
    <p className="field-error" role="alert">
      {branching.problem}
    </p>
  );

/** The way to a branch at the end of what a row shows when it is opened. */
export function ForkOfOpened({ id }: { id: ItemId }) {
  const branching = useBranching();
  return (
    <>
      <div className="opened-actions">
        <ForkAction id={id} branching={branching} />
      </div>
      <BranchProblem branching={branching} />
    </>
  );
}
