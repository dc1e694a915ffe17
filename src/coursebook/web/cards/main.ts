// The script of every page with recall cards. The cards can be read and answered without it.

import { CardView } from "./card";
import { showData } from "./data";
import { element } from "./dom";
import { showProgress } from "./progress";
import { Session } from "./session";
import { browserStorage, KEY, Store } from "./store";

// For tests, which run the bundle without a page.
export { isDue, preview, recall, replay } from "./schedule";
export { findMistake, fits, isClose, readNumber } from "./answers";
export { merge, parse, serialise } from "./store";

function start(): void {
  const items = [...document.querySelectorAll<HTMLElement>(".recall-card")];
  const first = document.querySelector(".recall-cards, [data-review]");
  if (!first) return;
  const store = new Store(browserStorage());
  const notices = element("div", { role: "status", class: "recall-notices" });
  (document.querySelector(".bd-article h1") ?? first).after(notices);
  const tell = (): void => {
    const told = notices.childElementCount;
    notices.append(...[...store.notices].slice(told).map((text) => element("p", {}, text)));
  };
  const review = <Name extends string>(name: Name) => document.querySelector(`[data-review="${name}"]`);
  const pages = document.querySelectorAll("[data-page]");
  let session: Session | null = null;
  const cards: CardView[] = items.map(
    (item) =>
      new CardView(item, store, (card, given) => {
        session?.graded(card, given);
        show();
      }),
  );
  const show = (): void => {
    tell();
    const progress = review("progress");
    if (progress) showProgress(progress, cards, pages);
  };
  const update = (): void => {
    for (const card of cards) card.refresh();
    session?.update();
    show();
  };
  const place = review("session");
  if (place) session = new Session(place, cards);
  const data = review("data");
  if (data) showData(data, store, update);
  for (const all of document.querySelectorAll<HTMLDetailsElement>(".review-all")) {
    all.open = location.hash.startsWith("#card-");
  }
  show();
  addEventListener("storage", (event) => {
    if (event.key !== null && event.key !== KEY) return;
    store.load();
    update();
  });
  // A page that was left open over night shows the new day.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") update();
  });
}

if (typeof document !== "undefined") start();
