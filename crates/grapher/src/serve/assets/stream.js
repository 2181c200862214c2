// Asks for what is shown whenever the server says that the store has changed: one request at a time, none while the
// page is out of sight. A browser lets a few connections to one server live, so a hidden page gives its own back.

/** How long a picture that moves may stand still when nothing new comes. */
const STANDSTILL_MS = 5000;
/** How long until a server that does not answer is asked again. */
const RETRY_MS = 2000;

/** `url()` gives the address of what is shown, `changes()` that of the stream, `show(answer)` takes an answer. */
export function start({ url, changes, show, lost }) {
  let source = null;
  let request = null;
  let again = false;
  let timer = 0;

  const later = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(refresh, ms);
  };

  async function refresh() {
    if (request) {
      again = true;
      return;
    }
    const own = new AbortController();
    request = own;
    let wait = STANDSTILL_MS;
    try {
      const response = await fetch(url(), { signal: own.signal });
      show(await response.json());
    } catch (error) {
      if (own.signal.aborted) return;
      lost(error);
      wait = RETRY_MS;
    } finally {
      if (request === own) request = null;
    }
    if (document.hidden) return;
    if (again) {
      again = false;
      refresh();
    } else {
      later(wait);
    }
  }

  function listen() {
    if (source || document.hidden) return;
    source = new EventSource(changes());
    source.addEventListener('change', refresh);
    source.addEventListener('error', () => {
      // The browser connects again by itself, but not to a server that refused.
      if (source?.readyState === EventSource.CLOSED) {
        source = null;
        setTimeout(listen, RETRY_MS);
      }
    });
  }

  function hush() {
    source?.close();
    source = null;
    clearTimeout(timer);
  }

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) {
      hush();
    } else {
      listen();
      refresh();
    }
  });
  listen();
  refresh();

  /** Asks anew for another address: what was under way is for nobody. */
  return () => {
    request?.abort();
    request = null;
    again = false;
    refresh();
  };
}
