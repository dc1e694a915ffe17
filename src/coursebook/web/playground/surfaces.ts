// What a network says everywhere in the square: its decision surface, computed in slices that fit into a frame.

import { EXTENT } from "./data";
import { evaluation, Masks } from "./masks";
import { type Factors, forward, Parameters, Workspace } from "./network";
import { Random, STREAMS } from "./random";
import type { Trainer } from "./trainer";

/** Cells of a surface in each direction; row 0 is at the top. */
export const GRID = 50;
const CELLS = GRID * GRID;
const CHUNK = GRID;

/** How well a predictor does on some points. */
export interface Score {
  readonly loss: number;
  readonly wrong: number;
  readonly number: number;
}

/** The square's cells, then the training points, then the test points. */
function placesOf(trainer: Trainer): Float64Array {
  const x = new Float64Array(2 * CELLS + trainer.train.x.length + trainer.test.x.length);
  const size = (2 * EXTENT) / GRID;
  for (let cell = 0; cell < CELLS; cell++) {
    x[2 * cell] = -EXTENT + size * ((cell % GRID) + 0.5);
    x[2 * cell + 1] = EXTENT - size * (Math.floor(cell / GRID) + 0.5);
  }
  x.set(trainer.train.x, 2 * CELLS);
  x.set(trainer.test.x, 2 * CELLS + trainer.train.x.length);
  return x;
}

/**
 * Mean prediction of some networks with the same weights: one for the full network and for a thinned one, many
 * for the Monte-Carlo average. It keeps a copy of the weights, so that a picture never mixes two epochs.
 */
export class Surface {
  /** Epoch of the weights behind what is shown, and number of networks averaged; 0 for nothing yet. */
  epoch = 0;
  networks = 0;
  /** Mean probabilities: of class B in the cells, of the right class at the points. */
  readonly shown: Float64Array;
  private readonly sums: Float64Array;
  private readonly x: Float64Array;
  private readonly y: Uint8Array;
  private readonly parameters: Parameters;
  private readonly space: Workspace;
  private factors: Factors | null = null;
  private wanted = 0;
  private done = 0;
  private next = 0;
  private weightsEpoch = 0;

  /** `prepare` gives the factors of each network to be averaged. */
  constructor(
    private readonly trainer: Trainer,
    private readonly prepare: (epoch: number, network: number) => Factors,
  ) {
    this.x = placesOf(trainer);
    this.y = new Uint8Array(this.x.length / 2).fill(1);
    this.y.set(trainer.train.y, CELLS);
    this.y.set(trainer.test.y, CELLS + trainer.train.y.length);
    this.shown = new Float64Array(this.y.length);
    this.sums = new Float64Array(this.y.length);
    this.parameters = new Parameters(trainer.widths);
    this.space = new Workspace(trainer.widths, CHUNK);
  }

  get isBusy(): boolean {
    return this.done < this.wanted;
  }

  /** Whether what is being computed, or was last, belongs to the present weights and has at least so many networks. */
  isOf(epoch: number, networks: number): boolean {
    return this.weightsEpoch === epoch && this.wanted >= networks;
  }

  /** Begin anew with the present weights. */
  begin(networks: number): void {
    this.parameters.all.set(this.trainer.parameters.all);
    this.weightsEpoch = this.trainer.epoch;
    this.wanted = networks;
    this.done = this.next = 0;
    this.sums.fill(0);
  }

  /** Compute until it is done or `deadline`; whether there is something new to show. */
  advance(deadline: number, now: () => number, progressive = false): boolean {
    let fresh = false;
    while (this.isBusy && now() < deadline) {
      if (this.next === 0) this.factors = this.prepare(this.weightsEpoch, this.done);
      this.compute(this.next, Math.min(CHUNK, this.y.length - this.next));
      this.next += CHUNK;
      if (this.next < this.y.length) continue;
      this.next = 0;
      this.done++;
      // After 1, 2, 4, 8 ... networks: a picture costs more than a network, and later ones differ less.
      const isPowerOfTwo = (this.done & (this.done - 1)) === 0;
      if (!this.isBusy || (progressive && isPowerOfTwo)) {
        this.show();
        fresh = true;
      }
    }
    return fresh;
  }

  /** Scores on the training points and on the test points, of what is shown. */
  scores(): { train: Score; test: Score } {
    const end = CELLS + this.trainer.train.y.length;
    return { train: this.score(CELLS, end), test: this.score(end, this.y.length) };
  }

  private compute(start: number, number: number): void {
    const { logits } = this.space;
    forward(this.parameters, this.x, 2 * start, number, this.factors!, this.space);
    for (let index = 0; index < number; index++) {
      const sign = this.y[start + index] === 1 ? 1 : -1;
      const margin = sign * (logits[2 * index + 1]! - logits[2 * index]!);
      this.sums[start + index] = this.sums[start + index]! + 1 / (1 + Math.exp(-margin));
    }
  }

  private show(): void {
    for (let index = 0; index < this.sums.length; index++) this.shown[index] = this.sums[index]! / this.done;
    this.epoch = this.weightsEpoch;
    this.networks = this.done;
  }

  private score(start: number, end: number): Score {
    let loss = 0;
    let wrong = 0;
    for (let index = start; index < end; index++) {
      const right = this.shown[index]!;
      loss -= Math.log(right);
      if (!(right > 0.5)) wrong++; // nor is what is not a number right
    }
    return { loss: loss / (end - start), wrong, number: end - start };
  }
}

/** The network in evaluation: every unit at work, scaled so that it stands for the average over masks. */
export function fullSurface(trainer: Trainer): Surface {
  const factors = evaluation(trainer.widths, trainer.rule);
  return new Surface(trainer, () => factors);
}

/** The one thinned network whose mask is drawn; `begin` must follow each change of the mask. */
export function thinnedSurface(trainer: Trainer, mask: Masks): Surface {
  return new Surface(trainer, () => mask.factors);
}

/** The mean prediction of thinned networks; which ones they are follows from seed and epoch. */
export function averageSurface(trainer: Trainer): Surface {
  const masks = new Masks(trainer.widths, trainer.rule, 1, true);
  return new Surface(trainer, (epoch, network) => {
    masks.draw(new Random(trainer.settings.seed, STREAMS.average, epoch, network), 1);
    return masks.factors;
  });
}
