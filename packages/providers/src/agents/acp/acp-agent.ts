import { AccessMode } from '@maestro/protocol';
import { z } from 'zod';

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable');

/** A program that speaks the Agent Client Protocol on its standard input and output, as data. */
export const AcpAgent = z.strictObject({
  /** A session chooses it by its model: `gemini`, or `gemini/<model the agent offers>`. */
  id: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'must be lower-case letters, digits, - and _'),
  name: z.string().min(1).max(80),
  /** A name that is looked for on the PATH, or a path. */
  command: z.string().min(1),
  args: z.array(z.string()).default([]),
  /** Set for it on top of the person's own environment. */
  env: z.record(variable, z.string()).default({}),
  /** The command that installs it. */
  install: z.string().max(300).default(''),
  /** How to log in to it, as a sentence. */
  login: z.string().max(300).default(''),
  /** What of the files it is offered to do through The Maestro, which holds it to the session's access mode. */
  files: z.array(z.enum(['read', 'write'])).default(['read', 'write']),
  /** Its own mode for each access mode of a session. What is not named stays as the agent has it. */
  modes: z.partialRecord(AccessMode, z.string()).default({}),
});
export type AcpAgent = z.infer<typeof AcpAgent>;
