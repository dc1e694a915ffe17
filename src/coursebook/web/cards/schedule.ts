// When a card is due, computed from its reviews alone. Nothing else is stored, so a better scheduler can be put
// in later, and two histories of one reader can be united.

import { type Card, createEmptyCard, fsrs, type Grade, State } from "ts-fsrs";

export const GRADES = ["again", "hard", "good", "easy"] as const;

/** The second (since 1970) at which a card was answered, and the grade from 1, again, to 4, easy. */
export type Review = readonly [seconds: number, grade: number];

/** What the scheduler makes of a card's reviews; times in milliseconds. */
export interface Memory {
  readonly due: number;
  /** Whether the card was failed, or never passed, and comes back within minutes. */
  readonly learning: boolean;
  readonly stability: number;
  readonly difficulty: number;
  /** The day of the last review, as midnight UTC of that date. */
  readonly day: number;
}

const DAY = 86_400_000;

// No fuzz: the same reviews give the same dates. One short step: a card that was failed comes back in the
// same sitting, one that was known does not.
const scheduler = fsrs({
  request_retention: 0.9,
  enable_fuzz: false,
  enable_short_term: true,
  learning_steps: ["10m"],
  relearning_steps: ["10m"],
});

/** The reader's calendar date at a moment, as midnight UTC of that date: such days have no summer time. */
function dateOf(moment: number): number {
  const local = new Date(moment);
  return Date.UTC(local.getFullYear(), local.getMonth(), local.getDate());
}

/** When a date begins for the reader. */
function beginning(date: number): number {
  const utc = new Date(date);
  return new Date(utc.getUTCFullYear(), utc.getUTCMonth(), utc.getUTCDate()).getTime();
}

/** How many days after today a moment's date lies. */
export function daysAhead(moment: number, now: number): number {
  return Math.round((dateOf(moment) - dateOf(now)) / DAY);
}

/** Play a card's reviews, oldest first; null for a card that was never answered. */
export function replay(history: readonly Review[]): Memory | null {
  let card: Card | null = null;
  let due = 0;
  for (const [seconds, grade] of history) {
    const moment = seconds * 1000;
    const today = new Date(dateOf(moment));
    card = scheduler.next(card ?? createEmptyCard(today), today, grade as Grade).card;
    if (card.state === State.Review) {
      // The library keeps the intervals of hard, good and easy a day apart. FSRS as published does not.
      due = beginning(today.getTime() + DAY * scheduler.next_interval(card.stability, 0));
    } else {
      due = moment + card.due.getTime() - today.getTime();
    }
  }
  if (card === null || !card.last_review) return null;
  const { stability, difficulty, state, last_review } = card;
  return { due, learning: state !== State.Review, stability, difficulty, day: last_review.getTime() };
}

/** What would follow from each grade given now: again, hard, good, easy. */
export function preview(history: readonly Review[], now: number): number[] {
  return GRADES.map((_, index) => replay([...history, [Math.floor(now / 1000), index + 1]])?.due ?? now);
}

/** Whether a card is for today: due already, or coming back within minutes before the day is over. */
export function isDue(memory: Memory, now: number): boolean {
  return memory.due <= now || (memory.learning && daysAhead(memory.due, now) <= 0);
}

/** The scheduler's estimate that the reader would know a card now, between 0 and 1. */
export function recall(memory: Memory, now: number): number {
  const days = Math.max(0, Math.round((dateOf(now) - memory.day) / DAY));
  return scheduler.forgetting_curve(days, memory.stability);
}
