// Where the reader is in the picture, as the fragment of the page's address, so that a place can be
// sent to somebody. Zoom is counted from "whole image in the window" and the centre in fractions of
// the picture, so the same address shows the same detail in a window of any size.

/** @typedef {{ x: number, y: number, zoom: number, rotation_deg: number }} Place */

/** Reads a fragment; null where it names no place.
 * @returns {Place | null} */
export function parsePlace(fragment) {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const number = (key) => Number.parseFloat(fields.get(key) ?? "");
  const place = {
    x: number("x"), y: number("y"), zoom: number("zoom"), rotation_deg: number("rotation") || 0,
  };
  const isWhole = [place.x, place.y, place.zoom, place.rotation_deg].every(Number.isFinite);
  return isWhole && 0 < place.zoom ? place : null;
}

/** Writes a place as a fragment; empty for the whole image upright.
 * @param {Place} place */
export function placeFragment({ x, y, zoom, rotation_deg }) {
  if (Math.abs(zoom - 1) < 0.01 && rotation_deg === 0) {
    return "";
  }
  const rotation = rotation_deg === 0 ? "" : `&rotation=${rotation_deg}`;
  // Five digits place a pixel of a picture 100,000 pixels wide.
  return `#x=${x.toFixed(5)}&y=${y.toFixed(5)}&zoom=${zoom.toFixed(2)}${rotation}`;
}
