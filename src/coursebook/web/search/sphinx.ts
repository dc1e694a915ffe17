// What Sphinx's own scripts on the search page offer, as far as it is used here.

/** docname, title, anchor, description of an object, score, file name */
export type Result = [string, string, string, string | null, number, string];

export interface SphinxSearch {
  title: HTMLElement;
  status: HTMLElement;
  output: HTMLElement;
  query(query: string): void;
  stopPulse(): void;
  performObjectSearch(term: string, terms: Set<string>): Result[];
  _parseQuery(query: string): [string, Set<string>, Set<string>, Set<string>, Set<string>];
  _performSearch(
    query: string,
    terms: Set<string>,
    excluded: Set<string>,
    highlighted: Set<string>,
    objects: Set<string>,
  ): Result[];
}

/** Page by page: anchor, title and text of each section, in the order of the page. */
export type Texts = Record<string, [string, string, string][]>;
