import type { Session } from '@maestro/protocol';

export const defaultSystemPrompt = `You are an agent in The Maestro, working for one developer on their own machine.
Do what is asked, with the tools you have, and check your work. Read before you change; change only what the task needs.
When something fails, say what failed and what you will try. When you are done, say briefly what you did.`;

/** The system prompt of a call: the session's own words (or the default), then the facts of where it works. */
export const systemPrompt = (session: Session, today: string): string => {
  const own = session.system_prompt.trim() === '' ? defaultSystemPrompt : session.system_prompt.trim();
  const facts = [
    `Working directory: ${session.working_directory}`,
    `Platform: ${process.platform} ${process.arch}`,
    `Date: ${today}`,
    accessWords[session.access_mode],
  ];
  return `${own}\n\n<environment>\n${facts.join('\n')}\n</environment>`;
};

const accessWords: Record<Session['access_mode'], string> = {
  full: 'Access: full.',
  workspace: 'Access: files only inside the working directory; commands ask the person first.',
  ask: 'Access: every change and command asks the person first.',
  read_only: 'Access: reading only; changes and commands are refused.',
};
