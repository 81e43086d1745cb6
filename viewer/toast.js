// A sentence that appears for a moment, and is read out by screen readers.

const SHOWN_MS = 2400;

let timer = null;

/** Shows a sentence; a newer one takes the place of an older one. */
export function toast(sentence, shown_ms = SHOWN_MS) {
  const plate = document.getElementById("toast");
  plate.textContent = sentence;
  plate.classList.add("shown");
  clearTimeout(timer);
  timer = setTimeout(() => plate.classList.remove("shown"), shown_ms);
}
