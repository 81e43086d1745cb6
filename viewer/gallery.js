// The gallery page: lists the folder that its address names, a page of names at a time as the
// reader scrolls on. Pictures are fetched by the browser itself when they come near.

import {
  folderAddress, listingAddress, nameOf, thumbnailAddress, viewAddress,
} from "./address.js";
import { explain, fetchGood } from "./fault.js";

// Far enough ahead that the next names are there before the reader is.
const LOAD_AHEAD = "800px";

const folder = new URLSearchParams(location.search).get("folder") ?? "";
const element = (id) => document.getElementById(id);
const moreButton = element("more");
const shown = { folders: 0, images: 0 };
let cursor = null;

function showTrail() {
  if (folder === "") {
    return;
  }
  const segments = folder.split("/");
  element("trail").append(trailItem("All images", ""));
  for (let depth = 1; depth < segments.length; depth += 1) {
    element("trail").append(trailItem(segments[depth - 1], segments.slice(0, depth).join("/")));
  }
  element("trail-box").hidden = false;
  element("heading").textContent = nameOf(folder);
  document.title = `${nameOf(folder)} - Tessera`;
}

function trailItem(name, path) {
  const link = document.createElement("a");
  link.href = folderAddress(path);
  link.textContent = name;
  const item = document.createElement("li");
  item.append(link);
  return item;
}

function folderTile({ name, path }) {
  const tile = element("folder-tile").content.cloneNode(true);
  tile.querySelector("a").href = folderAddress(path);
  tile.querySelector(".name").textContent = name;
  return tile;
}

function imageTile({ name, path, bytes }) {
  const tile = element("image-tile").content.cloneNode(true);
  const link = tile.querySelector("a");
  link.href = viewAddress(path);
  link.title = name;
  tile.querySelector(".name").textContent = name;
  tile.querySelector(".bytes").textContent = fileSize(bytes);
  const picture = tile.querySelector("img");
  picture.addEventListener("load", () => picture.classList.add("loaded"));
  picture.addEventListener("error", () => mendThumbnail(picture, path), { once: true });
  picture.src = thumbnailAddress(path);
  return tile;
}

// A picture element does not tell why it failed, so the question is asked once more: a server that
// was only busy for a moment gives the picture now, any other says what is wrong.
async function mendThumbnail(picture, path) {
  try {
    const response = await fetchGood(thumbnailAddress(path));
    const address = URL.createObjectURL(await response.blob());
    picture.addEventListener("load", () => URL.revokeObjectURL(address), { once: true });
    picture.src = address;
  } catch (error) {
    const reason = document.createElement("span");
    reason.className = "fault";
    const heading = document.createElement("strong");
    heading.textContent = "No picture";
    reason.append(heading, explain(error));
    picture.replaceWith(reason);
  }
}

function fileSize(bytes) {
  const units = ["kB", "MB", "GB", "TB"];
  let size = bytes / 1000;
  let unit = 0;
  while (1000 <= size && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

function countText() {
  const counted = (count, noun) => `${count}${cursor === null ? "" : "+"} ${noun}${count === 1 ? "" : "s"}`;
  const parts = [];
  if (0 < shown.folders) {
    parts.push(counted(shown.folders, "folder"));
  }
  if (0 < shown.images) {
    parts.push(counted(shown.images, "image"));
  }
  return parts.join(", ");
}

function showListing({ folders, images, next }) {
  element("folders").append(...folders.map(folderTile));
  element("images").append(...images.map(imageTile));
  shown.folders += folders.length;
  shown.images += images.length;
  cursor = next;
  element("folders").hidden = shown.folders === 0;
  element("images").hidden = shown.images === 0;
  element("count").textContent = countText();
  moreButton.hidden = cursor === null;
  if (shown.folders + shown.images === 0 && cursor === null) {
    element(folder === "" ? "empty-root" : "empty-folder").hidden = false;
  }
}

function showFault(error) {
  element("fault-text").textContent = explain(error);
  element("fault").hidden = false;
  moreButton.hidden = true;
}

async function loadMore() {
  // Only one page is asked for at a time, or two would both start at the same cursor.
  if (moreButton.disabled) {
    return;
  }
  moreButton.disabled = true;
  ahead.unobserve(moreButton);
  try {
    const response = await fetchGood(listingAddress(folder, cursor));
    showListing(await response.json());
  } catch (error) {
    showFault(error);
  }
  moreButton.disabled = false;
  element("content").removeAttribute("aria-busy");
  // Observing anew fires at once if the button is still in sight: a tall window takes more pages.
  ahead.observe(moreButton);
}

const ahead = new IntersectionObserver((entries) => {
  if (entries.some((entry) => entry.isIntersecting)) {
    loadMore();
  }
}, { rootMargin: LOAD_AHEAD });

moreButton.addEventListener("click", loadMore);
showTrail();
loadMore();
