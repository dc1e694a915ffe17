// The reader's reviews, kept in the browser's storage for this book and nowhere else.

import type { Review } from "./schedule";

export type Reviews = Map<string, Review[]>;

export const KEY = "dropout-measured/reviews";
const ASIDE = "dropout-measured/set-aside/";
const COURSE = "dropout-measured";
const FORMAT = 1;

/** A text that holds no reviews of this course; the message says why, for the reader. */
export class ForeignData extends Error {}

/** Read reviews from a text, and trust nothing in it. */
export function parse(text: string): Reviews {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new ForeignData("it is not JSON");
  }
  if (!isRecord(content) || content.course !== COURSE) throw new ForeignData("it is not from this course");
  if (content.format !== FORMAT) throw new ForeignData("it was written by another version of this course");
  if (!isRecord(content.reviews)) throw new ForeignData("it holds no reviews");
  const reviews: Reviews = new Map();
  for (const [id, history] of Object.entries(content.reviews)) {
    if (!Array.isArray(history) || !history.every(isReview)) {
      throw new ForeignData(`the reviews of ${JSON.stringify(id.slice(0, 60))} are damaged`);
    }
    reviews.set(id, inOrder(history));
  }
  return reviews;
}

/** Write reviews as a text; the same reviews give the same text. */
export function serialise(reviews: Reviews, space?: number): string {
  const sorted = [...reviews].filter(([, history]) => history.length > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ course: COURSE, format: FORMAT, reviews: Object.fromEntries(sorted) }, null, space);
}

/** All reviews of both, each of them once. */
export function merge(ours: Reviews, theirs: Reviews): Reviews {
  const merged: Reviews = new Map(ours);
  for (const [id, history] of theirs) {
    const known = merged.get(id) ?? [];
    const added = history.filter((review) => !known.some((other) => isSame(review, other)));
    merged.set(id, inOrder([...known, ...added]));
  }
  return merged;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isReview(value: unknown): value is Review {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [seconds, grade] = value as unknown[];
  // 8.64e12 seconds is the last moment that a Date can hold.
  const moment = Number.isSafeInteger(seconds) && (seconds as number) >= 0 && (seconds as number) < 8.64e12;
  return moment && Number.isInteger(grade) && (grade as number) >= 1 && (grade as number) <= 4;
}

function isSame(a: Review, b: Review): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

function inOrder(history: Review[]): Review[] {
  return [...history].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

/** The browser's storage, or null where it is switched off. */
export function browserStorage(): Storage | null {
  try {
    const storage = window.localStorage;
    storage.getItem(KEY);
    return storage;
  } catch {
    return null;
  }
}

/** Reviews with their storage. Each change is applied to what is stored then: another tab may have written. */
export class Store {
  reviews: Reviews = new Map();
  /** What the reader must be told, in whole sentences. */
  readonly notices = new Set<string>();

  constructor(private storage: Storage | null) {
    this.load();
  }

  /** Read what is stored; what cannot be read is set aside, never deleted and never in the way. */
  load(): void {
    let text: string | null = null;
    try {
      text = this.storage?.getItem(KEY) ?? null;
    } catch {
      this.storage = null;
    }
    if (this.storage === null) {
      this.notices.add(
        "This browser does not let the page store anything. The cards work, but your progress is lost when " +
          "you leave the page, unless you export it on the Review page first.",
      );
      return;
    }
    try {
      this.reviews = text === null ? new Map() : parse(text);
    } catch (error) {
      this.reviews = new Map();
      this.setAside(this.storage, text ?? "", error instanceof Error ? error.message : String(error));
    }
  }

  private setAside(storage: Storage, text: string, reason: string): void {
    const key = ASIDE + new Date().toISOString();
    try {
      storage.setItem(key, text);
      storage.removeItem(KEY);
      this.notices.add(
        `Stored progress could not be read (${reason}). It was not deleted: it lies in this browser's storage ` +
          `under ${key}. You begin afresh, and can import an export on the Review page.`,
      );
    } catch {
      this.storage = null;
      this.notices.add(
        `Stored progress could not be read (${reason}) and there is no room to set it aside. It stays as it is, ` +
          "and nothing that you do now is stored.",
      );
    }
  }

  history(id: string): readonly Review[] {
    return this.reviews.get(id) ?? [];
  }

  add(id: string, review: Review): void {
    this.change((reviews) => merge(reviews, new Map([[id, [review]]])));
  }

  remove(id: string, review: Review): void {
    this.change((reviews) => {
      const kept = (reviews.get(id) ?? []).filter((other) => !isSame(review, other));
      return new Map(reviews).set(id, kept);
    });
  }

  /** Unite with the reviews of an export; throws ForeignData where the text is none. */
  import(text: string): void {
    const theirs = parse(text);
    this.change((reviews) => merge(reviews, theirs));
  }

  reset(): void {
    this.change(() => new Map());
  }

  private change(apply: (reviews: Reviews) => Reviews): void {
    if (this.storage !== null) this.load();
    this.reviews = apply(this.reviews);
    if (this.storage === null) return;
    try {
      this.storage.setItem(KEY, serialise(this.reviews));
    } catch {
      this.storage = null;
      this.notices.add("The browser's storage is full: what you do from now on is lost when you leave the page.");
    }
  }
}
