// Bundle the script into ../static/site/cards.js, or into the file named on the command line.
// The first line of the bundle records the digest of these sources, so that a stale bundle is found without npm.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, "..", "static", "site", "cards.js");

const sources = readdirSync(here).filter((name) => /\.(ts|mjs|json)$/.test(name)).sort();
const hash = createHash("sha256");
for (const name of sources) hash.update(`${name}\0`).update(readFileSync(join(here, name))).update("\0");

const result = await build({
  absWorkingDir: here,
  entryPoints: ["main.ts"],
  bundle: true,
  minify: true,
  format: "iife",
  globalName: "DropoutMeasuredCards",
  target: "es2020",
  charset: "utf8",
  legalComments: "none",
  write: false,
});
const banner = `/*! Dropout, Measured: recall cards. MIT; contains ts-fsrs, MIT: see cards.LICENSE.txt. Sources: ${hash.digest("hex")} */\n`;
writeFileSync(target, banner + result.outputFiles[0].text);
