// Runs before the page is drawn, so that a chosen theme does not flash in the other one first.
try {
  const theme = localStorage.getItem('logboom.theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden; then the system's theme holds.
}
