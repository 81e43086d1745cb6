// The other pictures under the name of the one that is shown: pages of a stack, views of a sequence,
// the label of a slide. Where the server has no address for each, only their number is told.

import { slicesAddress, viewAddress } from "./address.js";
import { explain, fetchGood } from "./fault.js";
import { toast } from "./toast.js";

const element = (id) => document.getElementById(id);

/** Offers them in the title where there are any. */
export async function startSlices(image) {
  try {
    const response = await fetchGood(slicesAddress(image));
    show(await response.json());
  } catch (error) {
    toast(`The pages of this image could not be listed. ${explain(error)}`);
  }
}

function show({ pages, slices }) {
  if (1 < pages) {
    element("pages").textContent = `\u00b7 ${pages} pages`;
  }
  if (slices.length < 2) {
    return;
  }
  const choice = element("slices");
  for (const { name, path, shown } of slices) {
    choice.append(new Option(name, path, shown, shown));
  }
  choice.hidden = false;
  choice.addEventListener("change", () => location.assign(viewAddress(choice.value)));
}
