// Take the stored reviews out of the browser, bring them back, or delete them.

import { button, element, plural } from "./dom";
import { ForeignData, serialise, type Store } from "./store";

const ABOUT =
  "Your progress lies in this browser alone. Nothing is sent anywhere. Export it to keep a copy or to take it " +
  "to another browser; an import adds the reviews in a file to those that are here.";

export function showData(place: Element, store: Store, onChange: () => void): void {
  const news = element("p", { role: "status", class: "review-news" });
  const file = element("input", { type: "file", accept: ".json,application/json" });
  file.addEventListener("change", async () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    try {
      store.import(await chosen.text());
      const number = [...store.reviews.values()].filter((history) => history.length).length;
      news.textContent = `Imported: there are now reviews of ${plural(number, "card")}.`;
      onChange();
    } catch (error) {
      const reason = error instanceof ForeignData ? error.message : "it cannot be read";
      news.textContent = `${chosen.name} was not imported: ${reason}. Nothing was changed.`;
    }
    file.value = "";
  });
  const buttons = element("div", { class: "recall-actions" });
  const ask = (): void => {
    const really = button("Yes, delete my progress", () => {
      store.reset();
      onChange();
      leave("Deleted.");
    });
    buttons.replaceChildren(really, button("No, keep it", () => leave("Nothing was deleted.")));
    really.focus();
  };
  const reset = button("Reset", ask);
  const usual = [button("Export", () => download(store)), reset];
  const leave = (words: string): void => {
    news.textContent = words;
    buttons.replaceChildren(...usual);
    reset.focus();
  };
  buttons.append(...usual);
  const label = element("label", { class: "review-import" }, "Import a file ", file);
  place.replaceChildren(element("p", {}, ABOUT), buttons, label, news);
}

function download(store: Store): void {
  const blob = new Blob([`${serialise(store.reviews, 1)}\n`], { type: "application/json" });
  const address = URL.createObjectURL(blob);
  const today = new Date();
  const date = [today.getFullYear(), today.getMonth() + 1, today.getDate()];
  const name = `dropout-measured-${date.map((part) => String(part).padStart(2, "0")).join("-")}.json`;
  const link = element("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
