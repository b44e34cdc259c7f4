export const root: string;
export const serverFlags: readonly string[];
export const pinnedNode: () => string | undefined;
export const pinnedEnvironment: () => NodeJS.ProcessEnv;
