// One training run. It follows from the settings alone, whatever the pictures do and however fast they are.

import { draw, type Points } from "./data";
import { evaluation, Masks, type Rule } from "./masks";
import { backward, crossEntropy, descend, type Factors, forward, Parameters, Workspace } from "./network";
import { Random, STREAMS } from "./random";
import type { Settings } from "./state";

export const TEST_POINTS = 400;
export const LAST_EPOCH = 5000;
const MOMENTUM = 0.9;
const CLASSES = 2;
const CHUNK = 50;

/** Units per layer, inputs first and classes last. */
export function widthsOf(settings: Settings): number[] {
  return [2, ...settings.p.slice(1).map(() => settings.width), CLASSES];
}

/** Told of every batch before its step: which points it holds, and the masks that they get. */
export type Listener = (points: Uint32Array, masks: Masks) => void;

export class Trainer {
  readonly train: Points;
  readonly test: Points;
  readonly widths: readonly number[];
  readonly rule: Rule;
  readonly parameters: Parameters;
  /** The mask that the last example of the last batch had; before training, one that is drawn for show. */
  readonly mask: Masks;
  /** Losses in evaluation, one for each epoch, beginning with the untrained network. */
  readonly losses: { readonly train: number[]; readonly test: number[] } = { train: [], test: [] };
  private readonly gradient: Parameters;
  private readonly velocity: Float64Array;
  private readonly evaluation: Factors;
  private readonly masks: Masks;
  private readonly space: Workspace;
  private readonly order: Uint32Array;
  private readonly orderRandom: Random;
  private readonly maskRandom: Random;
  private readonly batchX: Float64Array;
  private readonly batchY: Uint8Array;

  constructor(readonly settings: Settings) {
    const { data, points, noise, seed, batch } = settings;
    this.train = draw(data, points, noise, new Random(seed, STREAMS.train));
    this.test = draw(data, TEST_POINTS, noise, new Random(seed, STREAMS.test));
    this.widths = widthsOf(settings);
    this.rule = { p: settings.p, mode: settings.mode };
    this.parameters = new Parameters(this.widths);
    this.parameters.initialise(new Random(seed, STREAMS.weights));
    this.gradient = new Parameters(this.widths);
    this.velocity = new Float64Array(this.parameters.all.length);
    this.evaluation = evaluation(this.widths, this.rule);
    this.masks = new Masks(this.widths, this.rule, batch);
    this.mask = new Masks(this.widths, this.rule, 1, true);
    this.mask.draw(new Random(seed, STREAMS.show), 1);
    this.space = new Workspace(this.widths, Math.max(batch, CHUNK));
    this.order = Uint32Array.from({ length: points }, (_, index) => index);
    this.orderRandom = new Random(seed, STREAMS.order);
    this.maskRandom = new Random(seed, STREAMS.masks);
    this.batchX = new Float64Array(2 * batch);
    this.batchY = new Uint8Array(batch);
    this.record();
  }

  get epoch(): number {
    return this.losses.train.length - 1;
  }

  get isOver(): boolean {
    return this.epoch >= LAST_EPOCH;
  }

  /** Whether the weights have grown beyond all bounds. */
  get hasDiverged(): boolean {
    return !Number.isFinite(this.losses.train[this.epoch]);
  }

  /** Go once through the training points in a new order; the last batch may be smaller than the others. */
  step(listener?: Listener): void {
    this.orderRandom.shuffle(this.order);
    const { points, batch } = this.settings;
    for (let start = 0; start < points; start += batch) this.learn(start, Math.min(batch, points - start), listener);
    this.record();
  }

  private learn(start: number, number: number, listener?: Listener): void {
    const { parameters, gradient, batchX, batchY, masks, space } = this;
    for (let example = 0; example < number; example++) {
      const index = this.order[start + example]!;
      batchX[2 * example] = this.train.x[2 * index]!;
      batchX[2 * example + 1] = this.train.x[2 * index + 1]!;
      batchY[example] = this.train.y[index]!;
    }
    masks.draw(this.maskRandom, number);
    this.mask.take(masks, number - 1);
    listener?.(this.order.subarray(start, start + number), masks);
    forward(parameters, batchX, 0, number, masks.factors, space);
    backward(parameters, batchY, 0, number, masks.factors, space, gradient);
    descend(parameters.all, this.velocity, gradient.all, this.settings.rate, MOMENTUM);
  }

  private record(): void {
    this.losses.train.push(this.loss(this.train));
    this.losses.test.push(this.loss(this.test));
  }

  private loss({ x, y }: Points): number {
    let total = 0;
    for (let start = 0; start < y.length; start += CHUNK) {
      const number = Math.min(CHUNK, y.length - start);
      forward(this.parameters, x, 2 * start, number, this.evaluation, this.space);
      total += number * crossEntropy(y, start, number, CLASSES, this.space);
    }
    return total / y.length;
  }
}
