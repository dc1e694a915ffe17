// Where a page answers a question, and what to quote from there.

export type Stem = (word: string) => string;

/** A stretch of text; a hit is one that the reader asked for. */
export interface Piece {
  text: string;
  hit: boolean;
}

export interface Quote {
  anchor: string;
  title: string;
  pieces: Piece[];
  score: number;
}

const LENGTH = 220;
const BEFORE = 60;
const WORD = /[\p{Letter}\p{Number}_]+/gu;

interface Hit {
  start: number;
  end: number;
  term: string;
}

/** Every word of a text that one of the terms means: it has the same stem, or a longer term is a part of it. */
export function findHits(text: string, terms: readonly string[], stem: Stem): Hit[] {
  const hits: Hit[] = [];
  for (const match of text.matchAll(WORD)) {
    const word = match[0].toLowerCase();
    const stemmed = stem(word);
    const term =
      terms.find((term) => stemmed === term) ?? terms.find((term) => term.length > 2 && word.includes(term));
    if (term !== undefined) hits.push({ start: match.index, end: match.index + match[0].length, term });
  }
  return hits;
}

/** How well a place answers: different terms count most, then the phrase as it was typed, then repetition. */
function rate(hits: readonly Hit[], text: string, phrase: string): number {
  const different = new Set(hits.map((hit) => hit.term)).size;
  return 100 * different + (phrase && text.toLowerCase().includes(phrase) ? 50 : 0) + Math.min(hits.length, 3);
}

/** The best stretch of a section, or null where nothing of it was asked for. */
export function quote(
  [anchor, title, text]: [string, string, string],
  terms: readonly string[],
  phrase: string,
  stem: Stem,
): Quote | null {
  const hits = findHits(text, terms, stem);
  const named = new Set(findHits(title, terms, stem).map((hit) => hit.term)).size;
  if (!hits.length && !named) return null;
  let first = 0;
  let best = -1;
  for (let i = 0; i < hits.length; i++) {
    const begin = hits[i]!.start;
    const near = hits.slice(i, i + 40).filter((hit) => hit.end <= begin + LENGTH - BEFORE);
    const score = rate(near, text.slice(begin, begin + LENGTH - BEFORE), phrase);
    if (score > best) [best, first] = [score, begin];
  }
  const all = named === terms.length;
  // A term of the glossary is also what its text begins with: "p: the probability ...".
  const term = anchor.startsWith("term-") && hits[0]?.start === 0 && text.toLowerCase().startsWith(phrase);
  const same = term || title.toLowerCase() === phrase;
  const score = Math.max(best, 0) + 40 * named + (all ? 40 : 0) + (same ? 200 : 0);
  return { anchor, title, pieces: cut(text, hits, first), score };
}

/** A stretch of about LENGTH characters around a place, which begins and ends with whole words. */
function cut(text: string, hits: readonly Hit[], place: number): Piece[] {
  let begin = Math.max(place - BEFORE, 0);
  if (begin > 0) begin = text.indexOf(" ", begin) + 1 || begin;
  let end = Math.min(begin + LENGTH, text.length);
  if (end < text.length) end = Math.max(text.lastIndexOf(" ", end), begin + 1);
  const pieces: Piece[] = [];
  let at = begin;
  const put = (to: number, hit: boolean): void => {
    if (to > at) pieces.push({ text: text.slice(at, to), hit });
    at = Math.max(at, to);
  };
  if (begin > 0) pieces.push({ text: "… ", hit: false });
  for (const hit of hits) {
    if (hit.start < begin || hit.end > end) continue;
    put(hit.start, false);
    put(hit.end, true);
  }
  put(end, false);
  if (end < text.length) pieces.push({ text: " …", hit: false });
  return pieces;
}
