/* Runs before the first paint, so that a chosen theme does not flash. */
try {
  const theme = localStorage.getItem('maestro.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.setAttribute('data-theme', theme);
} catch (error) {
  console.info('The theme choice cannot be read:', error);
}
