// @ts-check

/** Brings what may be done with the run up to date. Who is answering a question is not disturbed: it is done when they have. */
export function renewButtons() {
  const buttons = document.querySelector('[data-part="buttons"]');
  if (buttons === null) return;
  if (buttons.querySelector(":popover-open") !== null) {
    // "toggle" does not bubble, but it is heard on its way down.
    buttons.addEventListener("toggle", renewButtons, { once: true, capture: true });
    return;
  }
  const request = new XMLHttpRequest();
  // Scripts in such a document never run, so that unlike a parser's it needs no trusted HTML.
  request.responseType = "document";
  request.open("GET", location.href);
  // What became of a deed is for the page that comes next.
  request.setRequestHeader("signalbox-part", "buttons");
  request.addEventListener("load", () => {
    const fresh = request.responseXML?.querySelector('[data-part="buttons"]');
    if (fresh && buttons.querySelector(":popover-open") === null) replace(buttons, document.importNode(fresh, true));
  });
  request.send();
}

/**
 * @param {Element} buttons
 * @param {Element} fresh
 */
function replace(buttons, fresh) {
  const hadFocus = buttons.contains(document.activeElement);
  buttons.replaceWith(fresh);
  if (hadFocus) fresh.querySelector("button")?.focus();
}
