const prefix = 'maestro.';

/** Small things kept in this browser. A browser that refuses storage costs the memory, never the page. */
export const remember = (key: string, value: string | null): void => {
  try {
    if (value === null) localStorage.removeItem(prefix + key);
    else localStorage.setItem(prefix + key, value);
  } catch (error) {
    console.info(`"${key}" cannot be kept in this browser:`, error);
  }
};

export const recall = (key: string): string | null => {
  try {
    return localStorage.getItem(prefix + key);
  } catch (error) {
    console.info(`"${key}" cannot be read in this browser:`, error);
    return null;
  }
};

/** The keys of what is kept that begin so. */
export const remembered = (start: string): string[] => {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(prefix + start))
      .map((key) => key.slice(prefix.length));
  } catch (error) {
    console.info('What is kept in this browser cannot be listed:', error);
    return [];
  }
};
