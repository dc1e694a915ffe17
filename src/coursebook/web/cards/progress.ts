// What the reader has seen and would probably still know, for each objective.

import type { CardView } from "./card";
import { element } from "./dom";
import { recall } from "./schedule";

const NOTE =
  "Recall is the scheduler's estimate of how many of the cards you have seen you would still know now. " +
  "It is a model's guess from your own grades, not a measurement. Cards that you have not seen do not count in it.";

/** Fill a place with the table; its rows are the objectives of the page. */
export function showProgress(place: Element, cards: readonly CardView[], pages: Iterable<Element>): void {
  const now = Date.now();
  const seen = cards.filter((card) => card.memory !== null).length;
  const head = ["Objective", "Seen", "Due", "Recall"].map((text) => element("th", { scope: "col" }, text));
  const table = element("table", { class: "review-progress" }, element("thead", {}, element("tr", {}, ...head)));
  for (const page of pages) {
    const title = page.querySelector("h3")?.textContent?.trim() ?? "";
    const heading = element("th", { colspan: "4", scope: "rowgroup" }, title);
    const body = element("tbody", {}, element("tr", {}, heading));
    for (const group of page.querySelectorAll<HTMLElement>("[data-objective]:not(.recall-card)")) {
      body.append(row(group, cards, now));
    }
    table.append(body);
  }
  place.replaceChildren(
    element("p", {}, `You have seen ${seen} of ${cards.length} cards.`),
    table,
    element("p", { class: "review-note" }, NOTE),
  );
}

function row(group: HTMLElement, cards: readonly CardView[], now: number): HTMLElement {
  const own = cards.filter((card) => card.objective === group.dataset.objective);
  const known = own.flatMap((card) => card.memory ?? []);
  const due = own.filter((card) => card.isDue(now)).length;
  const sum = known.reduce((total, memory) => total + recall(memory, now), 0);
  const share = known.length ? `${Math.round((100 * sum) / known.length)} %` : "–";
  const heading = group.querySelector("h4")?.cloneNode(true) as Element | undefined;
  return element(
    "tr",
    {},
    element("th", { scope: "row" }, ...(heading?.childNodes ?? [])),
    element("td", {}, `${known.length} of ${own.length}`),
    element("td", {}, String(due)),
    element("td", {}, share),
  );
}
