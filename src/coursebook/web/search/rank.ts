// Which pages answer a question, the best first, with what to quote from each.

import { type Quote, type Stem, quote } from "./quote";
import type { Result, Texts } from "./sphinx";

export interface Found {
  page: string;
  title: string;
  quotes: Quote[];
  score: number;
}

const QUOTES = 2;

// Pages to read come before lists of names and of runs.
const WEIGHTS: [RegExp, number][] = [
  [/^(chapters|glossary|intro)/, 30],
  [/^(exercises|cheatsheet)/, 15],
  [/^(review|bibliography)/, -60],
  [/^(api|evidence)\b/, -30],
];

/** Pages out of Sphinx's results, in the order of how well their best section answers. */
export function rankPages(
  results: readonly Result[],
  texts: Texts,
  terms: readonly string[],
  phrase: string,
  stem: Stem,
): Found[] {
  const found = new Map<string, Found>();
  for (const [page, , , description] of results) {
    if (description !== null || found.has(page)) continue;
    const units = texts[page] ?? [];
    const quotes = units
      .map((unit) => quote(unit, terms, phrase, stem))
      .filter((each) => each !== null)
      .sort((one, other) => other.score - one.score);
    const weight = WEIGHTS.find(([pattern]) => pattern.test(page))?.[1] ?? 0;
    const many = Math.min(quotes.length, 10);
    const title = units[0]?.[1] ?? page;
    found.set(page, { page, title, quotes: quotes.slice(0, QUOTES), score: (quotes[0]?.score ?? 0) + many + weight });
  }
  return [...found.values()].sort((one, other) => other.score - one.score);
}

/** Whether the name of an object answers a term: its last part has it, and is it where the term is short. */
export function isNamed(name: string, term: string): boolean {
  const last = name.toLowerCase().split(".").at(-1) ?? "";
  return term.length > 2 ? last.includes(term) : last === term;
}
