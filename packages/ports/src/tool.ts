import type { AccessMode, Json, SessionId } from '@maestro/protocol';
import type { z } from 'zod';
import type { ImagePart, TextPart } from './provider.ts';

/** What a tool does to the world: `read` runs in parallel with its like; the others run in order and pass the access check. */
export type ToolKind = 'read' | 'write' | 'execute';

/** A file or folder that a call will touch, as the model wrote it. The dispatcher resolves and checks it. */
export interface Touch {
  readonly path: string;
  readonly mode: 'read' | 'write';
}

export interface ToolContext {
  readonly session_id: SessionId;
  /** Absolute. Relative paths of the input start here. */
  readonly working_directory: string;
  readonly access: AccessMode;
  /** Aborted when the person stops the turn, or the server does (`reason` is "drain"): end the work and its processes at once. */
  readonly signal: AbortSignal;
  /** Live output, as it appears. */
  report(stream: 'stdout' | 'stderr', text: string): void;
}

export interface ToolResult {
  /** For the model. */
  readonly content: readonly (TextPart | ImagePart)[];
  /** For people: a diff, counts, an exit code. */
  readonly details?: Json;
  /** A short line for the transcript (`Read src/main.ts, lines 1–80`). */
  readonly title?: string;
  /** true: the content says what went wrong, in words the model can act on. */
  readonly is_error?: boolean;
}

export interface Tool<S extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly title: string;
  /** For the model: what it does, when to use it, its limits. */
  readonly description: string;
  readonly kind: ToolKind;
  /** Checked by the dispatcher before `execute`; its JSON Schema is what providers are sent. */
  readonly input: S;
  touches(input: z.output<S>): readonly Touch[];
  /** One line for an approval: what will happen (`Run: npm test`). */
  summary(input: z.output<S>): string;
  /** Never throws for what the outside world does: a failure is a result with `is_error`. */
  execute(input: z.output<S>, context: ToolContext): Promise<ToolResult>;
}

/** Keeps the input type inside the tool and gives the registry one shape. */
export const defineTool = <S extends z.ZodObject>(tool: Tool<S>): Tool => tool;
