import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { removeFolder, temporaryFolder } from '../../support/temporary.ts';

/** A door between one server and a service behind a unix socket, which can be shut for that server alone. */
export interface Door extends AsyncDisposable {
  /** In its folder the door has the name that it was given. */
  readonly folder: string;
  /** `hang`: connections stay and carry nothing. `cut`: they end, and new ones are refused. `open`: as without a door. */
  turn(to: 'open' | 'hang' | 'cut'): void;
}

export const startDoor = async (service: string, name: string): Promise<Door> => {
  const folder = temporaryFolder('door');
  const ends = new Set<Socket>();
  let state: 'open' | 'hang' | 'cut' = 'open';
  const flow = (): void => {
    for (const end of ends) {
      if (state === 'open') end.resume();
      else if (state === 'hang') end.pause();
      else end.destroy();
    }
  };
  const door = createServer({ pauseOnConnect: true }, (outer) => {
    const inner = connect(service).pause();
    for (const [one, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      ends.add(one);
      one.on('data', (bytes) => other.write(bytes));
      one.on('error', () => other.destroy());
      one.on('close', () => {
        ends.delete(one);
        other.destroy();
      });
    }
    flow();
  });
  await new Promise<void>((resolve) => door.listen(join(folder, name), resolve));
  return {
    folder,
    turn: (to) => {
      state = to;
      flow();
    },
    [Symbol.asyncDispose]: async () => {
      for (const end of ends) end.destroy();
      await new Promise((resolve) => door.close(resolve));
      await removeFolder(folder);
    },
  };
};
