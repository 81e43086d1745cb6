// The view page: opens the image that its address names in OpenSeadragon and ties the toolbar to it.

/* global OpenSeadragon */

import { folderAddress, iiifAddress, imageOfView, nameOf, parentOf } from "./address.js";
import { explain, Fault, fetchGood } from "./fault.js";
import { parsePlace, placeFragment } from "./place.js";
import { startSharing } from "./share.js";
import { startSlices } from "./slices.js";
import { toast } from "./toast.js";

const ZOOM_STEP_RATIO = 1.6;
// The overview's longer side, in pixels; on small windows the style sheet hides it.
const OVERVIEW_PX = 168;
const TILE_FAULT_SHOWN_MS = 6000;

const element = (id) => document.getElementById(id);

function imageOfPage() {
  try {
    return imageOfView(location.pathname);
  } catch {
    throw new Fault("The name in this page's address is not encoded as UTF-8.");
  }
}

async function start() {
  try {
    const image = imageOfPage();
    nameThePage(image);
    const response = await fetchGood(`${iiifAddress(image)}/info.json`);
    const info = await response.json();
    // The server may know itself by another name than the one this page came from (a proxy before
    // it, say); tiles are asked from where the page and this description came.
    info.id = `${location.origin}${iiifAddress(image)}`;
    showSize(info);
    open(info, image);
    await startSlices(image);
  } catch (error) {
    showFault(error);
  }
}

function nameThePage(image) {
  const gallery = folderAddress(parentOf(image));
  document.title = `${nameOf(image)} - Tessera`;
  element("name").textContent = nameOf(image);
  element("name").title = image;
  element("back").href = gallery;
  element("fault-back").href = gallery;
}

function showSize({ width, height }) {
  const pixels = width * height;
  const area = pixels < 1e9
    ? `${(pixels / 1e6).toFixed(pixels < 1e7 ? 1 : 0)} megapixels`
    : `${(pixels / 1e9).toFixed(1)} gigapixels`;
  element("size").textContent = `${width} \u00d7 ${height} px \u00b7 ${area}`;
}

function showFault(error) {
  element("fault-text").textContent = explain(error);
  element("fault").hidden = false;
  element("toolbar").hidden = true;
  element("picture").removeAttribute("aria-busy");
}

function open(info, image) {
  const viewer = OpenSeadragon(options(info));
  viewer.canvas.setAttribute("role", "application");
  viewer.canvas.setAttribute(
    "aria-label",
    `${nameOf(image)}: arrow keys move, plus and minus zoom, 0 shows the whole image, R rotates`,
  );
  viewer.addOnceHandler("open", () => {
    followPlace(viewer);
    followLoading(viewer);
    followMagnification(viewer);
    startToolbar(viewer);
    startSharing(image);
  });
  viewer.addHandler("open-failed", () => showFault(
    new Fault("The server's description of this image could not be understood."),
  ));
  followTileFaults(viewer);
}

function options(info) {
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const overview = element("overview");
  const scale = OVERVIEW_PX / Math.max(info.width, info.height);
  overview.style.width = `${Math.max(info.width * scale, 24)}px`;
  overview.style.height = `${Math.max(info.height * scale, 24)}px`;
  return {
    element: element("picture"),
    tileSources: info,
    // For one picture WebGL shows nothing more, and without a graphics card (remote desktops, virtual
    // machines) it draws twelve times fewer frames a second.
    drawer: "canvas",
    showNavigationControl: false,
    showNavigator: getComputedStyle(overview).display !== "none",
    navigatorElement: overview,
    navigatorOpacity: 1,
    navigatorBackground: "transparent",
    navigatorBorderColor: "transparent",
    navigatorDisplayRegionColor: "#e3a283",
    navigatorAutoFade: false,
    animationTime: isStill ? 0 : 0.9,
    visibilityRatio: 0.4,
    minZoomImageRatio: 0.7,
    // Up to four window pixels to an image pixel: enough to see single pixels, no further.
    maxZoomPixelRatio: 4,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    // A busy server says to come back after two seconds.
    tileRetryMax: 2,
    tileRetryDelay: 2500,
  };
}

// Tells of one damaged tile, after it has been tried again: of the next hundred nobody wants to read.
function followTileFaults(viewer) {
  let isTold = false;
  viewer.addHandler("tile-load-failed", async ({ tile, maxReached }) => {
    if (isTold || !maxReached) {
      return;
    }
    isTold = true;
    try {
      await fetchGood(tile.getUrl());
      isTold = false;
    } catch (error) {
      toast(`A part of this image could not be loaded. ${explain(error)}`, TILE_FAULT_SHOWN_MS);
    }
  });
}

function followPlace(viewer) {
  const { viewport } = viewer;
  const show = () => {
    const place = parsePlace(location.hash);
    if (place !== null) {
      viewport.setRotation(place.rotation_deg, true);
      viewport.zoomTo(place.zoom * viewport.getHomeZoom(), null, true);
      viewport.panTo(new OpenSeadragon.Point(place.x, place.y), true);
      viewport.applyConstraints(true);
    }
  };
  const remember = () => {
    const { x, y } = viewport.getCenter();
    const zoom = viewport.getZoom() / viewport.getHomeZoom();
    const rotation_deg = OpenSeadragon.positiveModulo(Math.round(viewport.getRotation()), 360);
    const fragment = placeFragment({ x, y, zoom, rotation_deg });
    history.replaceState(null, "", `${location.pathname}${location.search}${fragment}`);
  };
  show();
  addEventListener("hashchange", show);
  viewer.addHandler("animation-finish", remember);
}

function followLoading(viewer) {
  const image = viewer.world.getItemAt(0);
  const show = () => element("picture").setAttribute("aria-busy", String(!image.getFullyLoaded()));
  show();
  image.addHandler("fully-loaded-change", show);
}

function showsWholeImage(viewport) {
  return viewport.getZoom(true) <= viewport.getHomeZoom() * 1.02;
}

function followMagnification(viewer) {
  const { viewport } = viewer;
  const show = () => {
    const image = viewer.world.getItemAt(0);
    const ratio = image.viewportToImageZoom(viewport.getZoom(true));
    const percent = 100 * ratio;
    element("magnification").textContent = `\u00b7 ${percent.toFixed(percent < 9.95 ? 1 : 0)} %`;
    // The overview says nothing while the picture itself shows everything.
    element("overview").classList.toggle("idle", showsWholeImage(viewport));
  };
  show();
  viewer.addHandler("viewport-change", show);
}

function startToolbar(viewer) {
  const { viewport } = viewer;
  const onClick = (id, act) => element(id).addEventListener("click", act);
  const zoomBy = (ratio) => {
    viewport.zoomBy(ratio);
    viewport.applyConstraints();
  };
  const rotateBy = (angle_deg) => {
    const wasWhole = showsWholeImage(viewport);
    viewport.rotateBy(angle_deg);
    if (wasWhole) {
      viewport.goHome();
    }
  };
  onClick("zoom-in", () => zoomBy(ZOOM_STEP_RATIO));
  onClick("zoom-out", () => zoomBy(1 / ZOOM_STEP_RATIO));
  onClick("home", () => viewport.goHome());
  onClick("rotate-left", () => rotateBy(-90));
  onClick("rotate-right", () => rotateBy(90));
  startFullScreen();
  element("toolbar").hidden = false;
}

function startFullScreen() {
  const button = element("full-screen");
  // Telephones of some makers give the whole screen to films only.
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener("click", () => {
    if (document.fullscreenElement === null) {
      document.documentElement.requestFullscreen().catch(() => toast("Full screen was refused"));
    } else {
      document.exitFullscreen();
    }
  });
  document.addEventListener("fullscreenchange", () => {
    button.setAttribute("aria-pressed", String(document.fullscreenElement !== null));
  });
}

start();
