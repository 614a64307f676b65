// @ts-check
// The stream of a run that goes on. EventSource gives up for good after an answer such as a proxy's 502, so it is rebuilt here.

/**
 * @typedef {{ number: number, name: string, look: string, word: string, startedAt: string, finishedAt: string | null, firstLine: number }} Step
 * @typedef {{ look: string, word: string, sentence: string, title: string, startedAt: string | null, finishedAt: string | null,
 *   url: string | null, steps: Step[] }} News
 *
 * @typedef {object} Listener
 * @property {() => { attempt: number, from: number }} position What is to come next; asked whenever the stream is built.
 * @property {(part: import("./log-lines.js").Part) => void} lines
 * @property {(news: News) => void} state
 * @property {(attempt: number) => void} attempt Another attempt has begun, and its lines count from 1.
 * @property {(state: "live" | "reconnecting" | "complete" | "gone") => void} connection
 */

const firstPause = 200;
const longestPause = 2_000;

/**
 * Listens until the run has ended or may not be seen any more; not while the tab is hidden, because a browser opens only six
 * connections to one host.
 * @param {string} path
 * @param {Listener} listener
 */
export function listen(path, listener) {
  /** @type {EventSource | null} */
  let source = null;
  let pause = firstPause;
  let timer = 0;
  let over = false;

  function open() {
    if (over || source !== null || document.hidden) return;
    const { attempt, from } = listener.position();
    const stream = new EventSource(`${path}/live?attempt=${attempt}&from=${from}`);
    source = stream;
    stream.onopen = () => {
      pause = firstPause;
      listener.connection("live");
    };
    stream.onerror = rebuild;
    stream.addEventListener("lines", ({ data }) => {
      listener.lines(JSON.parse(data));
    });
    stream.addEventListener("state", ({ data }) => listener.state(JSON.parse(data)));
    stream.addEventListener("attempt", ({ data }) => listener.attempt(JSON.parse(data).attempt));
    stream.addEventListener("end", () => stop("complete"));
    stream.addEventListener("gone", () => stop("gone"));
  }

  function close() {
    source?.close();
    source = null;
    clearTimeout(timer);
  }

  function rebuild() {
    close();
    listener.connection("reconnecting");
    timer = setTimeout(async () => {
      if (await mayNotSee(path)) stop("gone");
      else open();
    }, pause);
    pause = Math.min(pause * 2, longestPause);
  }

  /** @param {"complete" | "gone"} state */
  function stop(state) {
    over = true;
    close();
    listener.connection(state);
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  open();
}

/**
 * EventSource does not tell why it was refused.
 * @param {string} path
 */
async function mayNotSee(path) {
  try {
    const { status } = await fetch(`${path}/log?from=1&to=1`);
    return status === 401 || status === 403 || status === 404;
  } catch {
    return false;
  }
}
