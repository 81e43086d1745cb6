// Takes what Mirador and Universal Viewer are built from out of package-lock.json (`npm run lock`): their
// packages hold finished bundles, and 550 packages more would be fetched in vain.

import { readFile, writeFile } from "node:fs/promises";

const file = new URL("package-lock.json", import.meta.url);
const lock = JSON.parse(await readFile(file));
const wanted = Object.keys(lock.packages[""].devDependencies).map((name) => `node_modules/${name}`);
for (const name of Object.keys(lock.packages)) {
  if (name !== "" && !wanted.includes(name)) {
    delete lock.packages[name];
  }
}
for (const name of wanted) {
  for (const field of ["dependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta"]) {
    delete lock.packages[name][field];
  }
}
await writeFile(file, `${JSON.stringify(lock, null, 2)}\n`);
