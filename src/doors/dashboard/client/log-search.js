// @ts-check

/** Milliseconds after the last key before the server is asked. */
const pause = 250;

/**
 * Searches the whole log on the server and goes from line to line that holds what was typed: Enter to the next, Shift and Enter to the one
 * before, Escape to end it.
 * @param {HTMLElement} form Holds an input and an output.
 * @param {{ address: () => string, goTo: (line: number) => void, end: () => void }} log
 */
export function searchLog(form, { address, goTo, end }) {
  const input = form.querySelector("input");
  const output = form.querySelector("output");
  if (input === null || output === null) return;
  /** @type {{ query: string, count: number, lines: number[] }} */
  let found = { query: "", count: 0, lines: [] };
  let at = 0;
  let timer = 0;

  async function search() {
    clearTimeout(timer);
    const query = input?.value ?? "";
    if (query === "") return clear();
    try {
      const response = await fetch(`${address()}&${new URLSearchParams({ q: query })}`);
      if (!response.ok || query !== input?.value) return;
      found = await response.json();
      at = 0;
      show();
    } catch {
      tell("No answer");
    }
  }

  function clear() {
    clearTimeout(timer);
    found = { query: "", count: 0, lines: [] };
    tell("");
    end();
  }

  function show() {
    const line = found.lines[at];
    if (line === undefined) return tell("Not found");
    tell(`${(at + 1).toLocaleString("en")} of ${found.count.toLocaleString("en")}`);
    goTo(line);
  }

  /** @param {string} text */
  function tell(text) {
    if (output !== null) output.textContent = text;
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, pause);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      input.value = "";
      clear();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (found.query !== input.value) return void search();
      const { length } = found.lines;
      if (length > 0) at = (at + (event.shiftKey ? length - 1 : 1)) % length;
      show();
    }
  });
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof HTMLElement && event.target.closest("input, select, textarea") !== null;
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    input.focus();
  });
}
