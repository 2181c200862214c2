// Light or dark: as the system has it, until somebody chooses.

import * as address from './address.js';

const system = matchMedia('(prefers-color-scheme: dark)');
const NEXT = { auto: 'light', light: 'dark', dark: 'auto' };
const SIGNS = { auto: '◐', light: '☀', dark: '☾' };

function chosen() {
  const theme = address.get('theme');
  return theme === 'light' || theme === 'dark' ? theme : 'auto';
}

/** `light` or `dark`. */
export function current() {
  const theme = chosen();
  if (theme !== 'auto') return theme;
  return system.matches ? 'dark' : 'light';
}

/** Lets the button choose; calls `changed` when the picture has to follow. */
export function start(button, changed) {
  const show = () => {
    const theme = chosen();
    document.documentElement.dataset.theme = current();
    button.textContent = SIGNS[theme];
    button.title = `Theme: ${theme === 'auto' ? 'as the system' : theme}`;
    button.setAttribute('aria-label', `${button.title}. Change to ${NEXT[theme] === 'auto' ? 'as the system' : NEXT[theme]}`);
  };
  button.addEventListener('click', () => {
    const next = NEXT[chosen()];
    address.change({ theme: next === 'auto' ? null : next });
  });
  system.addEventListener('change', () => {
    show();
    changed();
  });
  address.onChange(show);
  show();
}
