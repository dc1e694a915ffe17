// What a link leads to, as far as it can be shown beside the link. Nothing is fetched: what lies on the same
// page is copied from there, and for other pages the book has written a title and a text into this one.

export type Baked = Record<string, [string, string]>;

/** The parts of a page that can be shown; a heading says no more than the link to it. */
const SHOWN = "figure, table, div.math, .claim, dt";

/** Nobody should have to reach a link within a preview, and no name may occur twice. */
function tamed(source: Element): Element {
  const copy = source.cloneNode(true) as Element;
  copy.querySelectorAll(".headerlink, .claim-small, .claim-filter").forEach((part) => part.remove());
  for (const link of copy.querySelectorAll("a")) link.replaceWith(...link.childNodes);
  for (const part of [copy, ...copy.querySelectorAll("[id], [tabindex]")]) {
    part.removeAttribute("id");
    part.removeAttribute("tabindex");
  }
  return copy;
}

function titled(title: string, ...content: (Node | string)[]): Node[] {
  const strong = document.createElement("strong");
  strong.textContent = title;
  return [strong, " ", ...content].map((part) => (typeof part === "string" ? new Text(part) : part));
}

/** The target on this page, or what carries the name of the target. */
function onPage(hash: string): Element | null {
  const target = document.getElementById(decodeURIComponent(hash.slice(1)));
  if (!target) return null;
  if (target.matches(SHOWN)) return target;
  const next = target.matches("span") && !target.textContent ? target.nextElementSibling : null;
  return next?.matches(SHOWN) ? next : null;
}

/** What to show for a link, or null where there is nothing worth it. */
export function contentOf(link: HTMLAnchorElement, baked: Baked): Node[] | null {
  const address = link.getAttribute("href") ?? "";
  const known = baked[address];
  if (known) return titled(known[0], known[1]);
  const cited = link.dataset["cited"];
  if (cited) return [new Text(cited)];
  const target = address.startsWith("#") && address.length > 1 ? onPage(address) : null;
  if (!target) return null;
  if (!target.matches("dt")) return [tamed(target)];
  const meaning = target.nextElementSibling;
  return titled(tamed(target).textContent ?? "", ...(meaning ? tamed(meaning).childNodes : []));
}
