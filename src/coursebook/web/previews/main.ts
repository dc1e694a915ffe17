// Previews of what the links of an article lead to. The page can be read without them.

import { Bubble } from "./bubble";
import { type Baked, contentOf } from "./content";

function start(): void {
  const baked = JSON.parse(document.getElementById("previews")?.textContent ?? "{}") as Baked;
  let bubble: Bubble | null = null;
  for (const link of document.querySelectorAll<HTMLAnchorElement>("article a.reference.internal")) {
    // The browser's own tip would show the same once more.
    const { title } = link;
    if (title && link.hash) {
      link.dataset["cited"] = title;
      link.removeAttribute("title");
    }
    if (contentOf(link, baked)) (bubble ??= new Bubble((each) => contentOf(each, baked))).watch(link);
  }
}

if (typeof document !== "undefined") {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
}
