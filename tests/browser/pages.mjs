// A server of pages that hold viewers, on another origin than the images', as viewers in the world are.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGES = {
  openseadragon: "../../viewer/node_modules/openseadragon/",
  leaflet: "node_modules/leaflet/",
  "leaflet-iiif": "node_modules/leaflet-iiif/",
  mirador: "node_modules/mirador/",
  universalviewer: "node_modules/universalviewer/",
};
const TYPES = {
  ".css": "text/css", ".js": "text/javascript", ".png": "image/png", ".svg": "image/svg+xml",
};

// Serves `pages` (a text for each path) and files of packages below `/npm/`; gives the origin, and what
// stops it.
export async function startPages(pages) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://pages");
    const page = pages[pathname];
    if (page !== undefined) {
      response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" });
      response.end(page);
      return;
    }
    const [, name, path] = /^\/npm\/([^/]+)\/(.+)$/.exec(pathname) ?? [];
    try {
      const folder = new URL(PACKAGES[name], import.meta.url);
      const file = await readFile(fileURLToPath(new URL(path, folder)));
      response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" });
      response.end(file);
    } catch {
      response.writeHead(404);
      response.end();
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((stopped) => {
      server.closeAllConnections();
      server.close(stopped);
    }),
  };
}
