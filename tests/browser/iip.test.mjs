// OpenSeadragon's own IIP tile source against a running server, with every transform that it knows.
//
// TESSERA_URL and CHROMIUM as in viewer.test.mjs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const base = process.env.TESSERA_URL?.replace(/\/$/, "");
const repository = fileURLToPath(new URL("../..", import.meta.url));
const openseadragon = `${repository}/viewer/node_modules/openseadragon/build/openseadragon/openseadragon.min.js`;

let browser;

before(async () => {
  assert.ok(base, "set TESSERA_URL to the address of a running server");
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  });
});

after(() => browser?.close());

// Opens an image in OpenSeadragon by IIP and zooms in; what was answered, and the mean colour of the canvas.
async function show(source) {
  const context = await browser.newContext({ viewport: { width: 800, height: 600 }, bypassCSP: true });
  const page = await context.newPage();
  const answers = [];
  page.on("response", (response) => {
    if (response.url().startsWith(`${base}/iip?`)) {
      answers.push([response.status(), response.url()]);
    }
  });
  try {
    // Any page of the server: the canvas is read, so tiles must come from where the page does.
    await page.goto(base);
    await page.setContent('<div id="view" style="width:800px;height:600px"></div>');
    await page.addScriptTag({ path: openseadragon });
    const shown = await page.evaluate(async ([iipsrv, options]) => {
      const { OpenSeadragon } = window;
      const viewer = OpenSeadragon({
        id: "view", drawer: "canvas", crossOriginPolicy: "Anonymous", showNavigationControl: false,
        immediateRender: true, tileSources: { iipsrv, ...options },
      });
      await new Promise((resolve, reject) => {
        viewer.addOnceHandler("open", resolve);
        viewer.addOnceHandler("open-failed", (event) => reject(new Error(event.message)));
      });
      const loaded = () => new Promise((resolve) => {
        const item = viewer.world.getItemAt(0);
        if (item.getFullyLoaded()) {
          resolve();
        } else {
          item.addOnceHandler("fully-loaded-change", resolve);
        }
      });
      await loaded();
      viewer.viewport.zoomTo(6, undefined, true);
      await new Promise((resolve) => setTimeout(resolve, 100));
      await loaded();
      const canvas = viewer.drawer.canvas;
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const sums = [0, 0, 0];
      for (let at = 0; at < data.length; at += 4) {
        sums[0] += data[at];
        sums[1] += data[at + 1];
        sums[2] += data[at + 2];
      }
      const { width, height } = viewer.world.getItemAt(0).source;
      return { size: [width, height], mean: sums.map((sum) => sum / (data.length / 4)) };
    }, [`${base}/iip`, source]);
    return { ...shown, answers };
  } finally {
    await context.close();
  }
}

function tilesOf(answers) {
  return answers.filter(([, url]) => /[JPW]TL=\d+,\d+/.test(url));
}

test("OpenSeadragon opens an image by IIP and loads tiles at two zooms", async () => {
  const { size, mean, answers } = await show({ image: "terrain.tif" });
  assert.deepEqual(size, [4096, 4096]);
  const tiles = tilesOf(answers);
  const resolutions = new Set(tiles.map(([, url]) => /TL=(\d+),/.exec(url)[1]));
  assert.ok(resolutions.size >= 2, `tiles of ${resolutions.size} resolution`);
  assert.deepEqual(answers.filter(([status]) => status >= 400), []);
  assert.ok(mean.some((band) => band > 10 && band < 245), `the canvas is ${mean}`);
});

test("every transform of OpenSeadragon's IIP source is answered and changes the picture", async () => {
  const plain = (await show({ image: "terrain.tif" })).mean;
  const transforms = [
    { gamma: 2.5 },
    { invert: true },
    { contrast: 2 },
    { colormap: "jet" },
    { color: "gray" },
    { hillshade: "45,30" },
    { convolution: "sobel" },
    { minmax: "-:100,200" },
    { twist: "[0,0,1;0,1,0;1,0,0]" },
  ];
  for (const transform of transforms) {
    const { mean, answers } = await show({ image: "terrain.tif", transform });
    const name = JSON.stringify(transform);
    assert.ok(tilesOf(answers).length > 4, `${name}: ${answers.length} answers`);
    assert.deepEqual(answers.filter(([status]) => status >= 400), [], name);
    const change = Math.max(...mean.map((band, at) => Math.abs(band - plain[at])));
    assert.ok(change > 2, `${name}: ${mean} is ${plain}`);
  }
});
