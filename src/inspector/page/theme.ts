/** Light, dark, or as the system is. Kept for this browser. */
import { byId, setText } from './dom.ts';

const THEMES = ['auto', 'light', 'dark'] as const;
const KEY = 'inspector-theme';

export function createTheme(onChange: () => void): void {
  const toggle = byId('theme', HTMLButtonElement);
  let theme = THEMES.find((one) => one === window.localStorage.getItem(KEY)) ?? 'auto';

  function use(): void {
    if (theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    setText(toggle, { auto: 'Auto', light: 'Light', dark: 'Dark' }[theme]);
    onChange();
  }

  toggle.addEventListener('click', () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
    window.localStorage.setItem(KEY, theme);
    use();
  });
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', onChange);
  use();
}
