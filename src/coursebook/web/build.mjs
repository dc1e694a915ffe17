// Bundle each script of the book into ../static/site/, or into the folder named on the command line.
// The first line of a bundle records the digest of its sources, so that a stale bundle is found without npm.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, "..", "static", "site");

// A bundle has the name of the folder with its sources, and one global name under which tests find it.
const BUNDLES = {
  cards: {
    globalName: "DropoutMeasuredCards",
    banner: "recall cards. MIT; contains ts-fsrs, MIT: see cards.LICENSE.txt.",
  },
  playground: { globalName: "DropoutMeasuredPlayground", banner: "a network to play with. MIT." },
  previews: { globalName: "DropoutMeasuredPreviews", banner: "previews of links. MIT." },
  search: { globalName: "DropoutMeasuredSearch", banner: "results of the search page. MIT." },
};

/** What a bundle follows from: the files of its folder, and those beside this one. */
function digest(name) {
  const sources = (folder) => readdirSync(join(here, folder)).filter((file) => /\.(ts|mjs|json)$/.test(file));
  const paths = [...sources(""), ...sources(name).map((file) => `${name}/${file}`)].sort();
  const hash = createHash("sha256");
  for (const path of paths) hash.update(`${path}\0`).update(readFileSync(join(here, path))).update("\0");
  return hash.digest("hex");
}

for (const [name, { globalName, banner }] of Object.entries(BUNDLES)) {
  const result = await build({
    absWorkingDir: here,
    entryPoints: [`${name}/main.ts`],
    bundle: true,
    minify: true,
    format: "iife",
    globalName,
    target: "es2020",
    charset: "utf8",
    legalComments: "none",
    write: false,
  });
  const first = `/*! Dropout, Measured: ${banner} Sources: ${digest(name)} */\n`;
  writeFileSync(join(target, `${name}.js`), first + result.outputFiles[0].text);
}
