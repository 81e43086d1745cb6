// Names to addresses and back. An image's name is its path below the served folder, segments
// joined by slashes; each kind of address encodes it in its own way, and nobody else does.

const VIEW_MOUNT = "/view/";

function encodeSegments(path) {
  return path.split("/").map(encodeURIComponent).join("/");
}

/** The image that a view page's path names; throws URIError where its encoding is broken. */
export function imageOfView(pathname) {
  return pathname.slice(VIEW_MOUNT.length).split("/").map(decodeURIComponent).join("/");
}

/** The page that shows an image in full detail. */
export function viewAddress(path) {
  return VIEW_MOUNT + encodeSegments(path);
}

/** The gallery of a folder; the empty path is the served folder itself. */
export function folderAddress(path) {
  return path === "" ? "/" : `/?${new URLSearchParams({ folder: path })}`;
}

/** One page of a folder's listing, from where the cursor `after` of the page before points. */
export function listingAddress(folder, after) {
  const query = new URLSearchParams();
  if (folder !== "") {
    query.set("folder", folder);
  }
  if (after !== null) {
    query.set("after", after);
  }
  // The server takes a plus for a plus: files are called so.
  const text = query.toString().replaceAll("+", "%20");
  return text === "" ? "/gallery.json" : `/gallery.json?${text}`;
}

/** The list of the other pictures under an image's name. */
export function slicesAddress(path) {
  return `/slices.json?image=${encodeURIComponent(path)}`;
}

/** The image as a IIIF service, without the `/info.json` that describes it. */
export function iiifAddress(path) {
  return `/iiif/3/${encodeURIComponent(path)}`;
}

/** A picture of the whole image, at most 400 x 300 pixels. */
export function thumbnailAddress(path) {
  return `${iiifAddress(path)}/full/!400,300/0/default.jpg`;
}

/** The image's Deep Zoom descriptor. */
export function deepZoomAddress(path) {
  return `/deepzoom/${encodeSegments(path)}.dzi`;
}

/** The folder that holds an image or a folder; empty at the top. */
export function parentOf(path) {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

/** The last segment of a path. */
export function nameOf(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}
