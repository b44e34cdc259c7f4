import type { Row } from './row.ts';
import { eventLoop } from './rows/event-loop.ts';
import { firstToken } from './rows/first-token.ts';
import { longPrompt } from './rows/long-prompt.ts';
import { longSessionRow } from './rows/long-session.ts';
import { memory } from './rows/memory.ts';
import { prompts } from './rows/prompts.ts';
import { reconnect } from './rows/reconnect.ts';
import { restart } from './rows/restart.ts';
import { runCommand } from './rows/run-command.ts';
import { start } from './rows/start.ts';
import { storage } from './rows/storage.ts';
import { streaming } from './rows/streaming.ts';
import { toolTask } from './rows/tool-task.ts';

/** Every benchmark, in the order in which they run. */
export const rows: readonly Row[] = [
  streaming,
  prompts,
  firstToken,
  toolTask,
  runCommand,
  longPrompt,
  longSessionRow,
  eventLoop,
  memory,
  start,
  restart,
  reconnect,
  storage,
];
