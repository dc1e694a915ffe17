// The results of the search page. Sphinx finds; this shows what was found, and quotes from it without fetching
// a page, which no browser allows for pages on a disk.

import { type Found, isNamed, rankPages } from "./rank";
import type { Quote, Stem } from "./quote";
import type { Result, SphinxSearch, Texts } from "./sphinx";

// For tests, which run the bundle without a page.
export { findHits, quote } from "./quote";
export { isNamed, rankPages } from "./rank";

declare const Search: SphinxSearch;
declare const Stemmer: new () => { stemWord(word: string): string };
declare const SEARCH_TEXTS: Texts;

const OBJECTS = 20;

function element(name: string, className: string, ...children: (Node | string)[]): HTMLElement {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function link(address: string, text: string): HTMLElement {
  const made = element("a", "", text) as HTMLAnchorElement;
  made.href = address;
  return made;
}

function shown(page: string, quoted: Quote): HTMLElement {
  const paragraph = element("p", "context");
  if (quoted.anchor) paragraph.append(link(`${page}.html#${quoted.anchor}`, quoted.title), " · ");
  paragraph.append(...quoted.pieces.map(({ text, hit }) => (hit ? element("mark", "", text) : text)));
  return paragraph;
}

function pageItem({ page, title, quotes }: Found): HTMLElement {
  return element("li", "", link(`${page}.html`, title), ...quotes.map((quoted) => shown(page, quoted)));
}

function objectItem([page, name, anchor, description]: Result): HTMLElement {
  return element("li", "", link(`${page}.html${anchor}`, name), ` (${description ?? ""})`);
}

/** Stems of words, each computed once. */
function stems(): Stem {
  const stemmer = new Stemmer();
  const known = new Map<string, string>();
  return (word) => {
    let found = known.get(word);
    if (found === undefined) known.set(word, (found = stemmer.stemWord(word)));
    return found;
  };
}

function query(text: string): void {
  const parsed = Search._parseQuery(text);
  // Sphinx would mark these on the page that is opened next, also within words: every p in it.
  localStorage.removeItem("sphinx_highlight_terms");
  const results = Search._performSearch(...parsed).reverse();
  const phrase = text.toLowerCase().trim();
  const terms = [...parsed[1]];
  const pages = rankPages(results, SEARCH_TEXTS, terms.length ? terms : [phrase], phrase, stems());
  const objects = results.filter((result) => result[3] !== null);
  Search.output.append(...pages.map(pageItem));
  if (objects.length) {
    const list = element("ul", "search", ...objects.slice(0, OBJECTS).map(objectItem));
    Search.output.after(element("h2", "", "Names in the API reference"), list);
  }
  Search.stopPulse();
  Search.title.textContent = "Results";
  Search.status.setAttribute("role", "status");
  const number = pages.length;
  Search.status.textContent = number
    ? `${number} ${number === 1 ? "page" : "pages"} for “${text}”, the best first.`
    : `No page for “${text}”. All words must occur; try fewer, or a part of one.`;
}

if (typeof document !== "undefined" && typeof Search !== "undefined") {
  const everyName = Search.performObjectSearch;
  Search.performObjectSearch = (term, terms) =>
    everyName(term, terms).filter((result) => isNamed(result[1], term));
  Search.query = query;
}
