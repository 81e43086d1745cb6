// The viewers that the world uses, as their makers publish them, against a running server: each shows the
// picture of `picture.py` at several zooms, no answer is refused, and what is on the screen is the picture,
// without seams (`check_screen.py`).
//
// TESSERA_URL, CHROMIUM and SCREENSHOTS as in viewer.test.mjs.
// TESSERA_IMAGES   the folder that is served, with clients.tif of `picture.py`

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { chromium } from "playwright-core";

import { startPages } from "./pages.mjs";

const base = process.env.TESSERA_URL?.replace(/\/$/, "");
const repository = fileURLToPath(new URL("../..", import.meta.url));
const screenshots = process.env.SCREENSHOTS ?? `${repository}/target/screenshots`;
// As `picture.py` makes it.
const IMAGE = "clients.tif";
const WIDTH = 2743;
const HEIGHT = 1839;
const MANIFEST = `${base}/presentation/3/${IMAGE}/manifest.json`;
const VIEW = { width: 900, height: 700 };
const TIMEOUT_MS = 20_000;

// A page with room for a viewer, and the files of packages that make it one.
function pageWith(...files) {
  const tags = files.map((file) => (
    file.endsWith(".css") ? `<link rel="stylesheet" href="/npm/${file}">` : `<script src="/npm/${file}"></script>`
  ));
  return `<!DOCTYPE html>
    <style>
      body { margin: 0; }
      #view { position: absolute; inset: 0; background: #f0f; }
    </style>
    <div id="view" class="uv"></div>
    ${tags.join("")}`;
}

const PAGES = {
  "/openseadragon": pageWith("openseadragon/build/openseadragon/openseadragon.min.js"),
  "/leaflet": pageWith("leaflet/dist/leaflet.css", "leaflet/dist/leaflet.js", "leaflet-iiif/leaflet-iiif.js"),
  "/mirador": pageWith("mirador/dist/mirador.min.js"),
  "/universalviewer": pageWith("universalviewer/dist/uv.css", "universalviewer/dist/umd/UV.js"),
};
// How a tile's address looks, and which level it is of.
const TILES = {
  iiif: {
    pattern: /\/iiif\/[123]\/[^/]+\/(?:full|\d+,\d+,(\d+),\d+)\/(?:max|full|(\d+),\d*)\/0\/(?:default|native)\.jpg$/,
    level: ([, region, size]) => (size ? Math.round(Math.log2((region ?? WIDTH) / size)) : 0),
  },
  deepzoom: { pattern: /\/deepzoom\/.+_files\/(\d+)\/\d+_\d+\.jpg/, level: ([, level]) => level },
  zoomify: { pattern: /\/zoomify\/.+\/TileGroup\d+\/(\d+)-\d+-\d+\.jpg$/, level: ([, level]) => level },
  iip: { pattern: /\/iip\?.*JTL=(\d+),\d+$/, level: ([, level]) => level },
};

let browser;
let pages;
// Screenshots that were looked at: viewers that ask in other words may show the very same.
const seen = [];

before(async () => {
  assert.ok(base, "set TESSERA_URL to the address of a running server");
  mkdirSync(screenshots, { recursive: true });
  pages = await startPages(PAGES);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  });
});

after(async () => {
  await browser?.close();
  await pages?.stop();
});

// A page with a record of what it asks of the server.
async function open(path) {
  const context = await browser.newContext({ viewport: VIEW });
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  const traffic = { answers: [], failures: [], foreign: [], open: new Set() };
  const isOurs = (request) => request.url().startsWith(base);
  page.on("request", (request) => {
    if (isOurs(request)) {
      traffic.open.add(request);
    } else if (request.url().startsWith("http") && !request.url().startsWith(pages.origin)) {
      traffic.foreign.push(request.url());
    }
  });
  page.on("requestfinished", (request) => traffic.open.delete(request));
  page.on("requestfailed", (request) => {
    traffic.open.delete(request);
    // A viewer that zooms gives up what it was still loading.
    if (isOurs(request) && request.failure().errorText !== "net::ERR_ABORTED") {
      traffic.failures.push(`${request.url()}: ${request.failure().errorText}`);
    }
  });
  page.on("response", (response) => {
    if (response.url().startsWith(base)) {
      traffic.answers.push({ status: response.status(), url: response.url() });
    }
  });
  page.on("pageerror", (error) => traffic.failures.push(String(error)));
  await page.goto(`${pages.origin}${path}`);
  return { context, page, traffic };
}

// A screenshot, as soon as nothing is on its way and two in a row are alike.
async function settled(page, traffic, clip, isTile) {
  const until = Date.now() + TIMEOUT_MS;
  let last = null;
  while (Date.now() < until) {
    await page.waitForTimeout(100);
    const isLoading = traffic.open.size > 0 || !traffic.answers.some(({ url }) => isTile(url));
    const screen = isLoading ? null : await page.screenshot({ clip });
    if (screen !== null && last !== null && screen.equals(last)) {
      return screen;
    }
    last = screen;
  }
  return assert.fail(`${[...traffic.open].map((request) => request.url())} did not end`);
}

// Opens a viewer, takes each step and a screenshot behind it, and looks at all that came of it.
async function show(name, path, kind, { start, steps, clip }, levelsMin) {
  const { context, page, traffic } = await open(path);
  const { pattern, level } = TILES[kind];
  const isTile = (url) => pattern.test(url);
  const files = [];
  try {
    await start(page);
    for (const step of [() => {}, ...steps]) {
      await step(page);
      const screen = await settled(page, traffic, clip, isTile);
      files.push(`${screenshots}/client-${name}-${files.length}.png`);
      writeFileSync(files.at(-1), screen);
    }
  } finally {
    await context.close();
  }
  assert.deepEqual(traffic.answers.filter(({ status }) => status >= 400), []);
  assert.deepEqual(traffic.failures, []);
  assert.deepEqual(traffic.foreign, [], "asked of other machines");
  const tiles = traffic.answers.filter(({ url }) => isTile(url));
  const levels = new Set(tiles.map(({ url }) => String(level(pattern.exec(url)))));
  assert.ok(levels.size >= levelsMin, `tiles of levels ${[...levels]} alone`);
  await compare(files);
}

async function compare(files) {
  const isNew = (file) => {
    const screen = readFileSync(file);
    const isSeen = seen.some((other) => other.equals(screen));
    seen.push(screen);
    return !isSeen;
  };
  const newFiles = files.filter(isNew);
  if (newFiles.length === 0) {
    return;
  }
  const python = `${repository}/target/venv/bin/python`;
  const script = `${repository}/tests/browser/check_screen.py`;
  const picture = `${process.env.TESSERA_IMAGES}/${IMAGE}`;
  try {
    const { stdout } = await promisify(execFile)(python, [script, picture, ...newFiles]);
    console.log(stdout);
  } catch (error) {
    assert.fail(`${error.stdout}${error.stderr}`);
  }
}

const ALL = { x: 0, y: 0, ...VIEW };
// Without what viewers lay over the picture.
const MIDDLE = { x: 250, y: 150, width: 400, height: 400 };

// Zooms, and the places that are in the middle then; at the last corner are the smallest tiles.
const CORNER = [0.5, WIDTH, HEIGHT];
const FAR = [0.125, 1400, 900];
const PLACES = [CORNER, [1, WIDTH, HEIGHT], [0.37, 1400, 900], FAR, [2, 1400, 900]];

// OpenSeadragon with a source: the whole, then these places.
function openSeadragon(tileSource, places) {
  return {
    clip: ALL,
    start: (page) => page.evaluate(async (source) => {
      const viewer = window.OpenSeadragon({
        id: "view", drawer: "canvas", showNavigationControl: false, animationTime: 0, blendTime: 0,
        tileSources: source,
      });
      await new Promise((resolve, reject) => {
        viewer.addOnceHandler("open", resolve);
        viewer.addOnceHandler("open-failed", (event) => reject(new Error(event.message)));
      });
      window.zoomTo = (zoom, x, y) => {
        const place = viewer.viewport.imageToViewportCoordinates(x, y);
        viewer.viewport.panTo(place, true);
        viewer.viewport.zoomTo(viewer.viewport.imageToViewportZoom(zoom), null, true);
      };
    }, tileSource),
    steps: places.map((place) => (page) => page.evaluate((to) => window.zoomTo(...to), place)),
  };
}

test("OpenSeadragon shows the picture by IIIF 1, 2 and 3, Deep Zoom, Zoomify and IIP", async (t) => {
  const sources = {
    "iiif-3": ["iiif", `${base}/iiif/3/${IMAGE}/info.json`, PLACES],
    "iiif-1": ["iiif", `${base}/iiif/1/${IMAGE}/info.json`, [CORNER, FAR]],
    "iiif-2": ["iiif", `${base}/iiif/2/${IMAGE}/info.json`, [CORNER, FAR]],
    "deep-zoom": ["deepzoom", `${base}/deepzoom/${IMAGE}.dzi`, PLACES],
    // The same tiles, told in other words.
    xml: ["deepzoom", `${base}/deepzoom/${IMAGE}.xml`, []],
    js: ["deepzoom", `${base}/deepzoom/${IMAGE}.js`, []],
    zoomify: ["zoomify", {
      type: "zoomifytileservice", width: WIDTH, height: HEIGHT, tileSize: 256,
      tilesUrl: `${base}/zoomify/${IMAGE}/`,
    }, [CORNER, FAR]],
    iip: ["iip", { iipsrv: `${base}/iip`, image: IMAGE }, [CORNER, FAR]],
  };
  for (const [name, [kind, source, places]] of Object.entries(sources)) {
    const viewer = openSeadragon(source, places);
    const levelsMin = places.length === 0 ? 1 : 3;
    await t.test(name, () => show(`osd-${name}`, "/openseadragon", kind, viewer, levelsMin));
  }
});

test("Leaflet-IIIF shows the picture by IIIF 2 and 3", async (t) => {
  for (const version of [2, 3]) {
    const leaflet = {
      clip: ALL,
      start: (page) => page.evaluate((info) => {
        const { L } = window;
        const map = L.map("view", {
          center: [0, 0], crs: L.CRS.Simple, zoom: 0, zoomControl: false, attributionControl: false,
          zoomAnimation: false, fadeAnimation: false,
        });
        const layer = L.tileLayer.iiif(info).addTo(map);
        window.zoomTo = (zoom, x, y) => {
          const native = layer.maxNativeZoom;
          map.setView(map.unproject(L.point(x, y), native), native + zoom, { animate: false });
        };
      }, `${base}/iiif/${version}/${IMAGE}/info.json`),
      steps: [[0, WIDTH, HEIGHT], [-1, WIDTH, HEIGHT], [-3, 1400, 900]]
        .map((place) => (page) => page.evaluate((to) => window.zoomTo(...to), place)),
    };
    await t.test(`IIIF ${version}`, () => show(`leaflet-${version}`, "/leaflet", "iiif", leaflet, 3));
  }
});

// Zooms as a reader does, by turning the wheel over the middle of the picture.
function wheel(turns) {
  return async (page) => {
    await page.mouse.move(VIEW.width / 2, VIEW.height / 2);
    for (let turn = 0; turn < turns; turn += 1) {
      await page.mouse.wheel(0, -200);
      await page.waitForTimeout(100);
    }
  };
}

test("Mirador shows the picture of a manifest", async () => {
  const mirador = {
    clip: MIDDLE,
    start: (page) => page.evaluate((manifestId) => {
      window.Mirador.viewer({ id: "view", windows: [{ manifestId }], workspaceControlPanel: { enabled: false } });
    }, MANIFEST),
    steps: [wheel(3), wheel(4)],
  };
  await show("mirador", "/mirador", "iiif", mirador, 3);
});

test("Universal Viewer shows the picture of a manifest", async () => {
  const universalViewer = {
    clip: MIDDLE,
    start: (page) => page.evaluate((iiifManifestId) => {
      window.UV.init("view", { iiifManifestId, embedded: true });
    }, MANIFEST),
    steps: [wheel(6)],
  };
  await show("universalviewer", "/universalviewer", "iiif", universalViewer, 3);
});
