/**
 * Keys that belong to the server: an agent's commands never see them. Names of the vendors' own documentation and of
 * the compatible services.
 */
const secretNames: ReadonlySet<string> = new Set([
  'ANTHROPIC_API_KEY',
  'ANTHROPIC_AUTH_TOKEN',
  'CLAUDE_CODE_OAUTH_TOKEN',
  'OPENAI_API_KEY',
  'OPENAI_ORG_ID',
  'GEMINI_API_KEY',
  'GOOGLE_API_KEY',
  'GOOGLE_OAUTH_CLIENT_SECRET',
  'GOOGLE_CLIENT_SECRET',
  'OLLAMA_API_KEY',
  'OPENROUTER_API_KEY',
  'DEEPSEEK_API_KEY',
  'GROQ_API_KEY',
  'MISTRAL_API_KEY',
  'XAI_API_KEY',
  'TOGETHER_API_KEY',
  'FIREWORKS_API_KEY',
  'CEREBRAS_API_KEY',
  'MOONSHOT_API_KEY',
  'ZAI_API_KEY',
  'DASHSCOPE_API_KEY',
  'PERPLEXITY_API_KEY',
  'AZURE_OPENAI_API_KEY',
  'COHERE_API_KEY',
  'HF_TOKEN',
  'ENCRYPTION_KEY',
  'DATABASE_URL',
  'REDIS_URL',
]);

/** Marks the processes of one run, so that those which left its process group are found. No secret. */
export const markerPrefix = 'MAESTRO_RUN_';

const isSecret = (name: string): boolean => {
  // Windows does not tell letter cases of names apart.
  const upper = name.toUpperCase();
  if (upper.startsWith(markerPrefix)) return false;
  return secretNames.has(upper) || upper.startsWith('MAESTRO_');
};

/** The environment for a child process: that of the server without the server's own secrets and settings. */
export const childEnvironment = (from: NodeJS.ProcessEnv = process.env): Record<string, string> => {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(from))
    if (value !== undefined && !isSecret(name)) environment[name] = value;
  return environment;
};

/** For commands an agent runs: no pager and no prompt that would wait for a person. */
export const commandEnvironment = (): Record<string, string> => ({
  ...childEnvironment(),
  TERM: 'dumb',
  PAGER: 'cat',
  GIT_PAGER: 'cat',
  GIT_TERMINAL_PROMPT: '0',
});
