// The state of the page is its address, in the words of the command line: what is shown can be kept, sent and reloaded.

const listeners = [];

const params = () => new URLSearchParams(location.search);

/** The value of a key, or null. */
export const get = (key) => params().get(key);

/** All values of a key. */
export const all = (key) => params().getAll(key);

/** Tells `listener` after each change, also those by the browser's own buttons. */
export const onChange = (listener) => listeners.push(listener);

/** What is asked for, as a query: the address with these keys. A text or a list of texts sets, null removes. */
export function query(changes) {
  const next = params();
  for (const [key, value] of Object.entries(changes)) {
    next.delete(key);
    for (const text of value === null ? [] : [value].flat()) next.append(key, text);
  }
  return next.toString();
}

/** Changes keys, as `query` does, and shows what they say. */
export function change(changes) {
  const text = query(changes);
  if (text === params().toString()) return;
  history.pushState(null, '', text ? `?${text}` : location.pathname);
  changed();
}

function changed() {
  for (const listener of listeners) listener();
}

addEventListener('popstate', changed);
