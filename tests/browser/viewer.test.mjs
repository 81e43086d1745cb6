// Drives the gallery and the deep-zoom page in a real Chromium, against a running server.
//
// TESSERA_URL   base address of the server, such as http://127.0.0.1:8182 (no default)
// CHROMIUM      the browser; /usr/bin/chromium where unset
// SCREENSHOTS   folder for pictures of the pages; target/screenshots where unset
//
// The served folder must hold, at its top: one folder with an image in it, and one image of at
// least 2000 x 1500 pixels.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const base = process.env.TESSERA_URL?.replace(/\/$/, "");
const repository = fileURLToPath(new URL("../..", import.meta.url));
const screenshots = process.env.SCREENSHOTS ?? `${repository}/target/screenshots`;
const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };
const BROWSER_ARGUMENTS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const TIMEOUT_MS = 20_000;
const TILE_ADDRESS = /\/iiif\/3\/[^/]+\/(\d+,\d+,\d+,\d+|full)\/([^/]+)\/\d+\/default\.(?:jpg|png|webp)$/;

let browser;
let context;
// Of the page that a test has open: what it complained of, what it was answered.
let complaints;
let answers;

before(async () => {
  assert.ok(base, "set TESSERA_URL to the address of a running server");
  mkdirSync(screenshots, { recursive: true });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: BROWSER_ARGUMENTS,
  });
});

after(() => browser?.close());

beforeEach(() => {
  complaints = [];
  answers = [];
});

afterEach(async () => {
  await context?.close();
  context = undefined;
});

async function openPage(path, options = {}) {
  context = await browser.newContext({ viewport: DESKTOP, colorScheme: "light", ...options });
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") {
      complaints.push(message.text());
    }
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("requestfailed", (request) => {
    // A page that is left gives up what it was still loading.
    if (request.failure().errorText !== "net::ERR_ABORTED") {
      complaints.push(`${request.url()}: ${request.failure().errorText}`);
    }
  });
  page.on("response", (response) => answers.push(response));
  await page.goto(`${base}${path}`);
  return page;
}

function assertNoComplaints() {
  assert.deepEqual(complaints, []);
  const refused = answers.filter((answer) => 400 <= answer.status());
  assert.deepEqual(refused.map((answer) => `${answer.status()} ${answer.url()}`), []);
}

async function listing(folder = "") {
  const query = folder === "" ? "" : `?${new URLSearchParams({ folder })}`;
  const response = await fetch(`${base}/gallery.json${query}`);
  assert.equal(response.status, 200);
  return response.json();
}

const viewPath = (image) => `/view/${image.path.split("/").map(encodeURIComponent).join("/")}`;
const infoAddress = (image) => `${base}/iiif/3/${encodeURIComponent(image.path)}/info.json`;

// The first image at the top whose pixels outnumber any window's, so that zooming has levels to load.
async function bigImage() {
  for (const image of (await listing()).images) {
    const response = await fetch(infoAddress(image));
    const info = response.ok ? await response.json() : { width: 0, height: 0 };
    if (2000 <= info.width && 1500 <= info.height) {
      return { ...image, ...info };
    }
  }
  return assert.fail("no image of 2000 x 1500 pixels at the top of the served folder");
}

async function openView(image, options, fragment = "") {
  const page = await openPage(`${viewPath(image)}${fragment}`, options);
  await waitForTiles(page);
  return page;
}

async function waitForTiles(page) {
  await page.getByRole("toolbar").waitFor();
  await page.locator("#picture[aria-busy=false]").waitFor();
}

function tileAnswers() {
  return answers.filter((answer) => TILE_ADDRESS.test(new URL(answer.url()).pathname));
}

// How many image pixels make one tile pixel across; 1 is full resolution.
function scaleFactor(address, image) {
  const [, region, size] = TILE_ADDRESS.exec(new URL(address).pathname);
  const width = region === "full" ? image.width : Number(region.split(",")[2]);
  return size === "max" ? 1 : width / Number.parseInt(size, 10);
}

async function assertThumbnailsLoad(page) {
  const pictures = page.locator("#images img");
  await pictures.first().waitFor();
  const count = await pictures.count();
  for (let index = 0; index < Math.min(count, 12); index += 1) {
    const picture = pictures.nth(index);
    await picture.scrollIntoViewIfNeeded();
    await picture.evaluate((image) => image.complete || new Promise((loaded) => {
      image.addEventListener("load", loaded, { once: true });
      image.addEventListener("error", loaded, { once: true });
    }));
    assert.ok(0 < await picture.evaluate((image) => image.naturalWidth), await picture.getAttribute("src"));
  }
  await page.evaluate(() => scrollTo(0, 0));
  return count;
}

async function assertNoSidewaysScroll(page) {
  const [content, window] = await page.evaluate(() => [
    document.scrollingElement.scrollWidth, document.scrollingElement.clientWidth,
  ]);
  assert.ok(content <= window, `the page is ${content} pixels wide in a window of ${window}`);
}

async function waitForTile(page, act, isWanted) {
  const [response] = await Promise.all([
    page.waitForResponse((answer) => {
      const isTile = TILE_ADDRESS.test(new URL(answer.url()).pathname);
      return isTile && isWanted(answer.url());
    }),
    act(),
  ]);
  return response;
}

const rotationIn = (page) => new URLSearchParams(new URL(page.url()).hash.slice(1)).get("rotation");

test("the gallery lists every image and its thumbnails load", async () => {
  const { images, folders } = await listing();
  assert.ok(0 < images.length);
  const page = await openPage("/");
  assert.equal(await assertThumbnailsLoad(page), images.length);
  assert.equal(await page.locator("#folders a").count(), folders.length);
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: `${screenshots}/gallery.png` });
  assertNoComplaints();
});

test("a folder opens and leads back", async () => {
  const { folders } = await listing();
  const listings = await Promise.all(folders.map((folder) => listing(folder.path)));
  const folder = folders[listings.findIndex((inside) => 0 < inside.images.length)];
  assert.ok(folder, "no folder with an image at the top of the served folder");
  const page = await openPage("/");
  await page.getByRole("link", { name: folder.name, exact: true }).click();
  await page.getByRole("heading", { level: 1, name: folder.name, exact: true }).waitFor();
  await assertThumbnailsLoad(page);
  await page.screenshot({ path: `${screenshots}/folder.png` });
  await page.getByRole("link", { name: "All images" }).click();
  await page.getByRole("link", { name: folder.name, exact: true }).waitFor();
  assertNoComplaints();
});

test("a folder that does not exist is explained in words", async () => {
  const page = await openPage("/?folder=no/such/folder");
  const alert = page.getByRole("alert");
  await alert.waitFor();
  assert.match(await alert.innerText(), /cannot be shown\s+\S.*\./);
  await page.screenshot({ path: `${screenshots}/no-folder.png` });
});

test("an image that does not exist is explained in words", async () => {
  const page = await openPage("/view/no/such/image.tif");
  const alert = page.getByRole("alert");
  await alert.waitFor();
  assert.match(await alert.innerText(), /cannot be shown\s+\S.*\./);
  assert.equal(await page.getByRole("toolbar").isVisible(), false);
  await page.screenshot({ path: `${screenshots}/no-image.png` });
});

test("a thumbnail that fails gives way to the server's sentence", async () => {
  const page = await openPage("/view/no/such/image.tif");
  await page.route("**/full/*400,300/0/default.jpg", (route) => route.fulfill({
    status: 422, contentType: "text/plain; charset=utf-8", body: "the file ends within its first tile",
  }));
  await page.goto(`${base}/`);
  await page.getByText("The file ends within its first tile.").first().waitFor();
  await page.screenshot({ path: `${screenshots}/no-thumbnail.png` });
});

test("the view page loads tiles, and deeper levels on zooming in", async () => {
  const image = await bigImage();
  const page = await openView(image);
  const first = tileAnswers();
  assert.ok(0 < first.length, "no tile was asked for");
  const coarsest = Math.min(...first.map((answer) => scaleFactor(answer.url(), image)));
  await page.screenshot({ path: `${screenshots}/view.png` });

  await waitForTile(
    page,
    async () => {
      for (let click = 0; click < 4; click += 1) {
        await page.getByRole("button", { name: "Zoom in" }).click();
      }
    },
    (address) => scaleFactor(address, image) < coarsest,
  );
  await waitForTiles(page);
  await page.screenshot({ path: `${screenshots}/view-zoomed.png` });

  for (const answer of tileAnswers()) {
    assert.equal(answer.status(), 200, answer.url());
    assert.match(answer.headers()["content-type"], /^image\/(jpeg|png|webp)$/);
  }
  assertNoComplaints();
});

test("the picture is drawn, not only loaded", async () => {
  const page = await openView(await bigImage());
  const middle = { x: DESKTOP.width / 2 - 100, y: DESKTOP.height / 2 - 100, width: 200, height: 200 };
  const drawn = await page.screenshot({ clip: middle });
  await page.locator("#picture").evaluate((picture) => { picture.style.visibility = "hidden"; });
  assert.notDeepEqual(drawn, await page.screenshot({ clip: middle }));
});

test("rotating turns the picture and the address keeps it", async () => {
  const page = await openView(await bigImage());
  await page.getByRole("button", { name: "Rotate right" }).click();
  await page.waitForURL(/rotation=90/);
  await page.screenshot({ path: `${screenshots}/view-rotated.png` });
  await page.getByRole("button", { name: "Rotate left" }).click();
  await page.waitForURL((address) => !address.hash.includes("rotation"));
  await page.getByRole("button", { name: "Rotate left" }).click();
  await page.waitForURL(/rotation=270/);
  assert.equal(rotationIn(page), "270");
  assertNoComplaints();
});

test("an address with a place opens at that place", async () => {
  const image = await bigImage();
  const page = await openView(image, {}, "#x=0.25000&y=0.25000&zoom=4.00&rotation=90");
  const finest = Math.min(...tileAnswers().map((answer) => scaleFactor(answer.url(), image)));
  assert.ok(finest <= image.width / DESKTOP.width, `scale factor ${finest}`);
  await page.getByRole("button", { name: "Rotate right" }).click();
  await page.waitForURL(/x=0\.25000&y=0\.25000&zoom=4\.00&rotation=180/);
  assertNoComplaints();
});

test("keys zoom and show the whole image again", async () => {
  const page = await openView(await bigImage());
  await page.getByRole("application").focus();
  await page.keyboard.press("+");
  await page.waitForURL(/zoom=/);
  await page.keyboard.press("0");
  await page.waitForURL((address) => address.hash === "");
  assertNoComplaints();
});

test("the copy buttons give addresses that the server answers", async () => {
  const image = await bigImage();
  const page = await openView(image, { permissions: ["clipboard-read", "clipboard-write"] });
  const deepZoomAddress = `${base}/deepzoom/${image.path.split("/").map(encodeURIComponent).join("/")}.dzi`;
  await page.getByRole("button", { name: "Addresses of this image" }).click();
  await page.screenshot({ path: `${screenshots}/view-addresses.png` });
  for (const [button, expected] of [
    ["Copy IIIF address", infoAddress(image)],
    ["Copy Deep Zoom address", deepZoomAddress],
    ["Copy address of this place", `${base}${viewPath(image)}`],
  ]) {
    await page.getByRole("button", { name: button }).click();
    await page.getByRole("status").filter({ hasText: "Copied" }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), expected);
    assert.equal((await fetch(expected)).status, 200, expected);
  }
  assertNoComplaints();
});

test("without a clipboard the address stands selected", async () => {
  const page = await openView(await bigImage());
  await page.evaluate(() => {
    Object.defineProperty(navigator, "clipboard", { value: undefined });
    document.execCommand = () => false;
  });
  await page.getByRole("button", { name: "Addresses of this image" }).click();
  await page.getByRole("button", { name: "Copy IIIF address" }).click();
  await page.getByRole("status").filter({ hasText: "Selected" }).waitFor();
  const selected = await page.locator("#iiif-address").evaluate((field) => (
    field.value.slice(field.selectionStart, field.selectionEnd)
  ));
  assert.match(selected, /\/iiif\/3\/.*\/info\.json$/);
});

test("full screen is entered and left by the same button", async () => {
  const page = await openView(await bigImage());
  const button = page.getByRole("button", { name: "Full screen" });
  await button.click();
  await page.waitForFunction(() => document.fullscreenElement !== null);
  assert.equal(await button.getAttribute("aria-pressed"), "true");
  await button.click();
  await page.waitForFunction(() => document.fullscreenElement === null);
  assertNoComplaints();
});

test("on a phone both pages fit the window and pinching is left to the picture", async () => {
  const image = await bigImage();
  const phone = { viewport: PHONE, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  const page = await openPage("/", phone);
  await assertThumbnailsLoad(page);
  await assertNoSidewaysScroll(page);
  await page.screenshot({ path: `${screenshots}/gallery-phone.png` });
  await page.goto(`${base}${viewPath(image)}`);
  await waitForTiles(page);
  await assertNoSidewaysScroll(page);
  for (const tool of await page.getByRole("toolbar").getByRole("button").all()) {
    const box = await tool.boundingBox();
    assert.ok(0 <= box.x && box.x + box.width <= PHONE.width, "a tool lies outside of the window");
    assert.ok(40 <= Math.min(box.width, box.height), "a tool is too small for a finger");
  }
  const touchAction = await page.locator("#picture").evaluate((e) => getComputedStyle(e).touchAction);
  assert.equal(touchAction, "none");
  await page.screenshot({ path: `${screenshots}/view-phone.png` });
  await page.getByRole("button", { name: "Addresses of this image" }).click();
  await page.screenshot({ path: `${screenshots}/view-addresses-phone.png` });
  assertNoComplaints();
});

test("the dark scheme is dark and the light one light", async () => {
  const image = await bigImage();
  const lightness = (page, selector) => page.locator(selector).evaluate((element) => {
    const [red, green, blue] = getComputedStyle(element).backgroundColor.match(/[\d.]+/g).map(Number);
    return (red + green + blue) / 3;
  });
  for (const [colorScheme, isRight] of [["dark", (l) => l < 64], ["light", (l) => 192 < l]]) {
    const page = await openPage("/", { colorScheme });
    await assertThumbnailsLoad(page);
    assert.ok(isRight(await lightness(page, "body")), colorScheme);
    await page.screenshot({ path: `${screenshots}/gallery-${colorScheme}.png` });
    await page.goto(`${base}${viewPath(image)}`);
    await waitForTiles(page);
    assert.ok(isRight(await lightness(page, "#picture")), colorScheme);
    await page.screenshot({ path: `${screenshots}/view-${colorScheme}.png` });
    await context.close();
  }
  assertNoComplaints();
});

test("nothing comes from another machine", async () => {
  const page = await openView(await bigImage());
  await page.goto(`${base}/`);
  await page.waitForLoadState("networkidle");
  const others = answers.filter((answer) => !answer.url().startsWith(`${base}/`));
  const foreign = others.filter((answer) => !/^(data|blob):/.test(answer.url()));
  assert.deepEqual(foreign.map((answer) => answer.url()), []);
});
