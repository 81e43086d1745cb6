// The panel of addresses: what to paste into another viewer, or send to somebody.

import { deepZoomAddress, iiifAddress } from "./address.js";
import { toast } from "./toast.js";

const field = (id) => document.getElementById(id);

/** Fills the panel for an image and makes its buttons copy. */
export function startSharing(image) {
  field("iiif-address").value = `${location.origin}${iiifAddress(image)}/info.json`;
  field("deep-zoom-address").value = `${location.origin}${deepZoomAddress(image)}`;
  field("addresses").addEventListener("beforetoggle", () => {
    field("place-address").value = location.href;
  });
  for (const button of document.querySelectorAll("[data-copies]")) {
    button.addEventListener("click", () => copy(field(button.dataset.copies)));
  }
}

// The clipboard is closed to pages that came over plain HTTP from another machine. There the older
// way may still work; and where neither does, the address stands selected for the reader to copy.
async function copy(input) {
  try {
    await navigator.clipboard.writeText(input.value);
    toast("Copied");
  } catch {
    input.focus();
    input.select();
    toast(document.execCommand("copy") ? "Copied" : "Selected: copy it with Ctrl+C or Cmd+C");
  }
}
