// The script of the page with the playground. The page can be read without it.

import { Playground } from "./playground";

// For tests, which run the bundle without a page.
export { draw } from "./data";
export { forwardBackward, record } from "./lab";
export { Random } from "./random";
export { DEFAULTS, isState, read, write } from "./state";
export { averageSurface, fullSurface, thinnedSurface } from "./surfaces";
export { Trainer } from "./trainer";

if (typeof document !== "undefined") {
  const form = document.querySelector<HTMLFormElement>("form.playground");
  if (form) new Playground(form);
}
