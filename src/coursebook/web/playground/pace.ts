// How many epochs a frame of the screen is given.

import type { Speed } from "./state";

/** Milliseconds between two epochs at slow speed. */
const SLOW = 500;
/** Milliseconds of a frame that training may take at full speed. */
const FAST = 10;

export class Pace {
  private last: number;

  constructor(
    private readonly speed: Speed,
    start: number,
  ) {
    this.last = start - SLOW;
  }

  /** Train in a frame that begins now; `step` says whether to go on. */
  spend(now: () => number, step: () => boolean): void {
    const begun = now();
    if (this.speed === "slow" && begun - this.last < SLOW) return;
    this.last = begun;
    while (step() && this.speed === "fast" && now() - begun < FAST) continue;
  }
}
