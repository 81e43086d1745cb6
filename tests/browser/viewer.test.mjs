// Drives the gallery and the deep-zoom page in a real Chromium, against a running server.
//
// TESSERA_URL   base address of the server, such as http://127.0.0.1:8182 (no default)
// CHROMIUM      the browser; /usr/bin/chromium where unset
// SCREENSHOTS   folder for pictures of the pages; target/screenshots where unset
//
// The served folder must hold, at its top: one folder with an image in it, and one image of at
// least 3000 x 2400 pixels.

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
  const page = await newPage(options);
  await page.goto(`${base}${path}`);
  return page;
}

async function newPage(options = {}) {
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
  return page;
}

// Opens a gallery whose listings are `answer(query)` and whose thumbnails are one small picture.
async function openStubbed(path, answer) {
  const page = await newPage();
  await page.route("**/gallery.json*", (route) => route.fulfill({
    contentType: "application/json", body: answer(new URL(route.request().url()).searchParams),
  }));
  await page.route("**/full/*400,300/0/default.jpg", (route) => route.fulfill({
    contentType: "image/svg+xml",
    body: '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"/>',
  }));
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
    if (3000 <= info.width && 2400 <= info.height) {
      return { ...image, ...info };
    }
  }
  return assert.fail("no image of 3000 x 2400 pixels at the top of the served folder");
}

async function openView(image, options, fragment = "") {
  const page = await openPage(`${viewPath(image)}${fragment}`, options);
  await waitForTiles(page);
  return page;
}

async function waitForTiles(page) {
  await tools(page).waitFor();
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

// Two fingers that spread from 40 to 240 pixels apart.
async function pinch(page, { x, y }) {
  const session = await page.context().newCDPSession(page);
  const touch = (type, apart) => session.send("Input.dispatchTouchEvent", {
    type,
    touchPoints: apart === null ? [] : [{ id: 0, x: x - apart / 2, y }, { id: 1, x: x + apart / 2, y }],
  });
  await touch("touchStart", 40);
  for (let apart = 60; apart <= 240; apart += 20) {
    await touch("touchMove", apart);
  }
  await touch("touchEnd", null);
}

const tools = (page) => page.getByRole("group", { name: "Tools" });

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
  assert.equal(await tools(page).isVisible(), false);
  await page.screenshot({ path: `${screenshots}/no-image.png` });
});

test("a long folder is loaded page by page as the reader scrolls", async () => {
  const pageOfNames = (first, next) => JSON.stringify({
    folder: "long",
    folders: [],
    images: Array.from({ length: 100 }, (_, index) => (
      { name: `${first + index}.tif`, path: `long/${first + index}.tif`, bytes: 1000 }
    )),
    next,
  });
  const asked = [];
  const page = await openStubbed("/?folder=long", (query) => {
    asked.push(query.get("after"));
    return pageOfNames(100 * (asked.length - 1), ["b", "c", null][asked.length - 1]);
  });
  await page.getByText("100+ images").waitFor();
  for (const count of ["200+ images", "300 images"]) {
    await page.evaluate(() => scrollTo(0, document.scrollingElement.scrollHeight));
    await page.getByText(count, { exact: true }).waitFor();
  }
  assert.deepEqual(asked, [null, "b", "c"]);
  assert.equal(await page.locator("#images li").count(), 300);
  assert.equal(await page.getByRole("button", { name: "Load more" }).isVisible(), false);
  assertNoComplaints();
});

test("an empty folder says what to do", async () => {
  const nothing = JSON.stringify({ folder: "", folders: [], images: [], next: null });
  const page = await openStubbed("/", () => nothing);
  await page.getByRole("heading", { name: "No images here yet" }).waitFor();
  await page.screenshot({ path: `${screenshots}/empty.png` });
  await page.goto(`${base}/?folder=some/folder`);
  await page.getByRole("heading", { name: "This folder is empty" }).waitFor();
  assert.equal(await page.getByRole("link", { name: "some" }).getAttribute("href"), "/?folder=some");
  assertNoComplaints();
});

test("a thumbnail that a busy server put off is asked for once more", async () => {
  const page = await newPage();
  let refusals = 0;
  await page.route("**/full/*400,300/0/default.jpg", (route) => {
    if (0 < refusals) {
      return route.continue();
    }
    refusals += 1;
    return route.fulfill({ status: 503, contentType: "text/plain", body: "no room now" });
  });
  await page.goto(`${base}/`);
  await page.locator("#images img[src^=blob].loaded").waitFor();
  assert.equal(await page.getByText("No picture").count(), 0);
});

test("a thumbnail that fails gives way to the server's sentence", async () => {
  const page = await newPage();
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
  const finest = Math.min(...first.map((answer) => scaleFactor(answer.url(), image)));
  await page.screenshot({ path: `${screenshots}/view.png` });

  await waitForTile(
    page,
    async () => {
      for (let click = 0; click < 4; click += 1) {
        await page.getByRole("button", { name: "Zoom in" }).click();
      }
    },
    (address) => scaleFactor(address, image) < finest,
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
  await page.waitForURL(/x=0\.25000&y=0\.25000&zoom=.*&rotation=180/);
  assertNoComplaints();
});

test("tiles that fail are told of in words, once they have been tried again", async () => {
  const image = await bigImage();
  const page = await newPage();
  const asked = [];
  await page.route(TILE_ADDRESS, (route) => {
    asked.push(route.request().url());
    return route.fulfill({ status: 422, contentType: "text/plain", body: "tile 7 is damaged" });
  });
  await page.goto(`${base}${viewPath(image)}`);
  await page.getByRole("status").filter({ hasText: "could not be loaded. Tile 7 is damaged." }).waitFor();
  assert.ok(new Set(asked).size < asked.length, "no tile was tried again");
  await page.screenshot({ path: `${screenshots}/view-damaged.png` });
});

test("tiles that a busy server put off come in the end", async () => {
  const image = await bigImage();
  const page = await newPage();
  const refused = new Set();
  await page.route(TILE_ADDRESS, (route) => {
    const address = route.request().url();
    if (refused.has(address) || 2 < refused.size) {
      return route.continue();
    }
    refused.add(address);
    return route.fulfill({ status: 503, contentType: "text/plain", body: "no room now" });
  });
  const served = new Set();
  page.on("response", (answer) => {
    if (answer.ok() && refused.has(answer.url())) {
      served.add(answer.url());
    }
  });
  await Promise.all([
    page.waitForEvent("response", () => served.size === 3),
    page.goto(`${base}${viewPath(image)}`),
  ]);
  assert.deepEqual([...served].sort(), [...refused].sort());
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

test("on a phone both pages fit the window and two fingers zoom the picture", async () => {
  const image = await bigImage();
  const phone = { viewport: PHONE, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  const page = await openPage("/", phone);
  await assertThumbnailsLoad(page);
  await assertNoSidewaysScroll(page);
  await page.screenshot({ path: `${screenshots}/gallery-phone.png` });
  await page.goto(`${base}${viewPath(image)}`);
  await waitForTiles(page);
  await assertNoSidewaysScroll(page);
  for (const tool of await tools(page).getByRole("button").all()) {
    const box = await tool.boundingBox();
    assert.ok(0 <= box.x && box.x + box.width <= PHONE.width, "a tool lies outside of the window");
    assert.ok(40 <= Math.min(box.width, box.height), "a tool is too small for a finger");
  }
  await page.screenshot({ path: `${screenshots}/view-phone.png` });
  await pinch(page, { x: PHONE.width / 2, y: PHONE.height / 2 });
  await page.waitForURL((address) => 1.5 < new URLSearchParams(address.hash.slice(1)).get("zoom"));
  assert.equal(await page.evaluate(() => visualViewport.scale), 1, "the page was zoomed, not the picture");
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

test("pages of a stack are offered in the title, and the chosen one opens", async () => {
  const image = await bigImage();
  const page = await newPage();
  const slices = [
    { name: "layer 0", path: image.path, shown: true },
    { name: "label", path: `${image.path};label`, shown: false },
  ];
  await page.route("**/slices.json*", (route) => route.fulfill({ json: { pages: 2, slices } }));
  await page.goto(`${base}${viewPath(image)}`);
  await waitForTiles(page);
  const choice = page.getByLabel("Pages and other pictures of this file");
  assert.equal(await choice.inputValue(), image.path);
  assert.equal(await page.locator("#pages").textContent(), "\u00b7 2 pages");
  await page.screenshot({ path: `${screenshots}/view-pages.png` });
  assertNoComplaints();
  await choice.selectOption("label");
  await page.waitForURL(`${base}${viewPath({ path: slices[1].path })}`);
});

test("nothing comes from another machine", async () => {
  const page = await openView(await bigImage());
  await page.goto(`${base}/`);
  await page.waitForLoadState("networkidle");
  const others = answers.filter((answer) => !answer.url().startsWith(`${base}/`));
  const foreign = others.filter((answer) => !/^(data|blob):/.test(answer.url()));
  assert.deepEqual(foreign.map((answer) => answer.url()), []);
});
