// Tell right from wrong where a script can; elsewhere the reader judges.

/** What a card's data-key holds; which fields there are depends on the kind of card. */
export interface Key {
  readonly answer?: number;
  readonly tolerance?: number;
  readonly wrong?: readonly number[];
  readonly correct?: readonly string[];
  readonly blanks?: readonly (readonly string[])[];
}

/** The numbers that a text may mean: a comma may divide thousands or decimals. */
export function readNumber(text: string): number[] {
  const plain = text.trim().replace(/[\u2212\u2013]/g, "-").replace(/[\s\u00a0\u202f_]/g, "");
  const parts = /^([-+]?[\d.,]+(?:e[-+]?\d+)?)(?:\/([\d.,]+))?(%?)$/i.exec(plain);
  if (!parts) return [];
  const [, above = "", below, percent] = parts;
  const tops = readPlain(above);
  const bottoms = below === undefined ? [1] : readPlain(below);
  const values = tops.flatMap((top) => bottoms.map((bottom) => top / bottom / (percent ? 100 : 1)));
  return values.filter(Number.isFinite);
}

function readPlain(text: string): number[] {
  const readings = new Set([text.replace(/,/g, ""), text.replace(",", ".")]);
  return [...readings].map(Number).filter((value) => !Number.isNaN(value));
}

export function isClose(value: number, target: number, tolerance: number): boolean {
  // 0.1 + 0.2 must count as 0.3 where the tolerance is zero.
  return Math.abs(value - target) <= tolerance + 1e-9 * Math.max(1, Math.abs(target));
}

/** Which of the common wrong answers a number is, by position; -1 for none of them. */
export function findMistake(values: readonly number[], key: Key): number {
  const near = (wrong: number) => Math.max(key.tolerance ?? 0, 0.005 * Math.abs(wrong));
  return (key.wrong ?? []).findIndex((wrong) => values.some((value) => isClose(value, wrong, near(wrong))));
}

/** A text as it is compared: letters in lower case, without what is set around formulas. */
export function normalise(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/\u2212/g, "-")
    .replace(/[$`*\\{}\s]/g, "")
    .replace(/[.,;]+$/, "");
}

export function fits(text: string, accepted: readonly string[]): boolean {
  return accepted.some((answer) => normalise(answer) === normalise(text));
}
