// Which units are kept, and by what their outputs are multiplied: inverted and classic dropout.

import type { Factors } from "./network";
import type { Random } from "./random";

/** Inverted dropout divides kept units by q in training; classic dropout multiplies all by q in evaluation. */
export type Mode = "inverted" | "classic";

/** How dropout is done: the drop probability of the inputs and of each hidden layer, and where it is scaled. */
export interface Rule {
  readonly p: readonly number[];
  readonly mode: Mode;
}

/** What a kept unit is multiplied by in training; with p = 1 nobody is kept, and 1/q does not exist. */
function keptFactor(p: number, mode: Mode): number {
  if (mode === "classic") return 1;
  return p < 1 ? 1 / (1 - p) : 0;
}

/** Factors of evaluation, the same for every example: 1 in inverted dropout, q in classic dropout. */
export function evaluation(widths: readonly number[], rule: Rule): Factors {
  const values = rule.p.map((p, layer) => new Float64Array(widths[layer]!).fill(rule.mode === "classic" ? 1 - p : 1));
  return { values, shared: true };
}

/** Masks for a batch with one mask per example, as in training, or with one for all: a single thinned network. */
export class Masks {
  /** For each layer 1 where a unit is kept and 0 where it is dropped. */
  readonly kept: readonly Uint8Array[];
  readonly factors: Factors;

  constructor(
    private readonly widths: readonly number[],
    private readonly rule: Rule,
    capacity: number,
    shared = false,
  ) {
    const sizes = rule.p.map((_, layer) => widths[layer]! * (shared ? 1 : capacity));
    this.kept = sizes.map((size) => new Uint8Array(size).fill(1));
    this.factors = { values: sizes.map((size) => new Float64Array(size)), shared };
    this.update();
  }

  /** Flip a coin for each unit of each of `number` examples; layers with p = 0 need none. */
  draw(random: Random, number: number): void {
    this.rule.p.forEach((p, layer) => {
      if (p === 0) return;
      const kept = this.kept[layer]!;
      const size = this.factors.shared ? kept.length : number * this.widths[layer]!;
      for (let unit = 0; unit < size; unit++) kept[unit] = random.uniform() < p ? 0 : 1;
    });
    this.update();
  }

  /** Use the mask of one example of another batch. */
  take(other: Masks, example: number): void {
    this.kept.forEach((kept, layer) => {
      const width = this.widths[layer]!;
      kept.set(other.kept[layer]!.subarray(example * width, (example + 1) * width));
    });
    this.update();
  }

  /** Use given masks. */
  set(kept: readonly ArrayLike<number>[]): void {
    kept.forEach((values, layer) => this.kept[layer]!.set(values));
    this.update();
  }

  /** Number of dropped units in a layer of a single mask. */
  dropped(layer: number): number {
    return this.kept[layer]!.reduce((count, kept) => count + 1 - kept, 0);
  }

  private update(): void {
    this.rule.p.forEach((p, layer) => {
      const factor = keptFactor(p, this.rule.mode);
      const kept = this.kept[layer]!;
      const values = this.factors.values[layer]!;
      for (let unit = 0; unit < values.length; unit++) values[unit] = kept[unit]! * factor;
    });
  }
}
