/** Small things kept in this browser. A browser that refuses storage costs the memory, never the page. */
export const remember = (key: string, value: string | null): void => {
  try {
    if (value === null) localStorage.removeItem(`maestro.${key}`);
    else localStorage.setItem(`maestro.${key}`, value);
  } catch (error) {
    console.info(`"${key}" cannot be kept in this browser:`, error);
  }
};

export const recall = (key: string): string | null => {
  try {
    return localStorage.getItem(`maestro.${key}`);
  } catch (error) {
    console.info(`"${key}" cannot be read in this browser:`, error);
    return null;
  }
};
