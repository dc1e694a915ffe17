// A multilayer perceptron with rectified hidden units: forward, exact gradient, and a step of SGD.
//
// It knows nothing of probabilities. What dropout does to a layer comes in as factors by which the layer's
// outputs are multiplied; masks.ts makes them. Inner loops allocate nothing.

import type { Random } from "./random";

/** A linear layer: `weights[j * inputs + k]` leads from input k to output j. Both are views of the parameters. */
export interface Linear {
  readonly inputs: number;
  readonly outputs: number;
  readonly weights: Float64Array;
  readonly biases: Float64Array;
}

/** One array per layer of units but the last, inputs first: one factor per unit, or one per example and unit. */
export interface Factors {
  readonly values: readonly Float64Array[];
  /** Whether all examples have the same factors. */
  readonly shared: boolean;
}

/** All parameters in one array, with each layer's weights and biases as views of it. */
export class Parameters {
  readonly all: Float64Array;
  readonly layers: readonly Linear[];

  /** `widths` are units per layer, inputs first and classes last. */
  constructor(readonly widths: readonly number[]) {
    const sizes = widths.slice(1).map((outputs, index) => outputs * (widths[index]! + 1));
    this.all = new Float64Array(sizes.reduce((sum, size) => sum + size, 0));
    let start = 0;
    this.layers = sizes.map((size, index) => {
      const [inputs, outputs] = [widths[index]!, widths[index + 1]!];
      const weights = this.all.subarray(start, start + inputs * outputs);
      const biases = this.all.subarray(start + inputs * outputs, start + size);
      start += size;
      return { inputs, outputs, weights, biases };
    });
  }

  /** Uniform on ±1/√inputs, weights and biases, layer by layer. */
  initialise(random: Random): void {
    for (const { inputs, weights, biases } of this.layers) {
      const bound = 1 / Math.sqrt(inputs);
      for (const values of [weights, biases]) {
        for (let index = 0; index < values.length; index++) values[index] = bound * (2 * random.uniform() - 1);
      }
    }
  }
}

/** Room for what one batch computes: outputs of every layer of units, and gradients with respect to them. */
export class Workspace {
  readonly outputs: readonly Float64Array[];
  readonly slopes: readonly Float64Array[];

  constructor(
    widths: readonly number[],
    readonly capacity: number,
  ) {
    this.outputs = widths.map((width) => new Float64Array(width * capacity));
    this.slopes = widths.map((width) => new Float64Array(width * capacity));
  }

  get logits(): Float64Array {
    return this.outputs[this.outputs.length - 1]!;
  }
}

/** Compute the logits of `number` examples; the first has its coordinates at `start` in `x`. */
export function forward(
  parameters: Parameters,
  x: Float64Array,
  start: number,
  number: number,
  factors: Factors,
  space: Workspace,
): void {
  const { layers, widths } = parameters;
  const first = space.outputs[0]!;
  const keep = factors.values[0]!;
  const width = widths[0]!;
  for (let example = 0; example < number; example++) {
    const at = factors.shared ? 0 : example * width;
    for (let unit = 0; unit < width; unit++) {
      first[example * width + unit] = x[start + example * width + unit]! * keep[at + unit]!;
    }
  }
  for (let index = 0; index < layers.length; index++) {
    linear(layers[index]!, space.outputs[index]!, space.outputs[index + 1]!, number);
    const next = factors.values[index + 1];
    if (next) rectify(space.outputs[index + 1]!, next, widths[index + 1]!, number, factors.shared);
  }
}

/** Four units at a time: their sums do not wait for one another, and each input is read once for all four. */
function linear(layer: Linear, input: Float64Array, output: Float64Array, number: number): void {
  const { inputs, outputs, weights, biases } = layer;
  const fours = outputs - (outputs % 4);
  for (let example = 0; example < number; example++) {
    const from = example * inputs;
    const to = example * outputs;
    for (let unit = 0; unit < fours; unit += 4) {
      const row = unit * inputs;
      const row1 = row + inputs;
      const row2 = row1 + inputs;
      const row3 = row2 + inputs;
      let sum = biases[unit]!;
      let sum1 = biases[unit + 1]!;
      let sum2 = biases[unit + 2]!;
      let sum3 = biases[unit + 3]!;
      for (let k = 0; k < inputs; k++) {
        const value = input[from + k]!;
        sum += weights[row + k]! * value;
        sum1 += weights[row1 + k]! * value;
        sum2 += weights[row2 + k]! * value;
        sum3 += weights[row3 + k]! * value;
      }
      output[to + unit] = sum;
      output[to + unit + 1] = sum1;
      output[to + unit + 2] = sum2;
      output[to + unit + 3] = sum3;
    }
    for (let unit = fours; unit < outputs; unit++) {
      let sum = biases[unit]!;
      for (let k = 0; k < inputs; k++) sum += weights[unit * inputs + k]! * input[from + k]!;
      output[to + unit] = sum;
    }
  }
}

function rectify(output: Float64Array, factor: Float64Array, width: number, number: number, shared: boolean): void {
  for (let example = 0; example < number; example++) {
    const at = shared ? 0 : example * width;
    for (let unit = 0; unit < width; unit++) {
      const place = example * width + unit;
      const value = output[place]!;
      output[place] = value > 0 ? value * factor[at + unit]! : 0;
    }
  }
}

/** Mean cross-entropy in nats of the logits in `space`; the classes of the examples begin at `start` in `y`. */
export function crossEntropy(y: Uint8Array, start: number, number: number, classes: number, space: Workspace): number {
  const { logits } = space;
  let total = 0;
  for (let example = 0; example < number; example++) {
    const from = example * classes;
    let largest = -Infinity;
    for (let c = 0; c < classes; c++) largest = Math.max(largest, logits[from + c]!);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += Math.exp(logits[from + c]! - largest);
    total += largest + Math.log(sum) - logits[from + y[start + example]!]!;
  }
  return total / number;
}

/** Gradient of the mean cross-entropy after `forward` with the same arguments, written into `gradient`. */
export function backward(
  parameters: Parameters,
  y: Uint8Array,
  start: number,
  number: number,
  factors: Factors,
  space: Workspace,
  gradient: Parameters,
): void {
  const { layers, widths } = parameters;
  gradient.all.fill(0);
  softmaxSlopes(y, start, number, widths[widths.length - 1]!, space);
  for (let index = layers.length - 1; index >= 0; index--) {
    const { inputs, outputs, weights } = layers[index]!;
    const { weights: weightSlopes, biases: biasSlopes } = gradient.layers[index]!;
    const input = space.outputs[index]!;
    const below = space.slopes[index]!;
    const above = space.slopes[index + 1]!;
    const factor = factors.values[index]!;
    below.fill(0, 0, number * inputs);
    for (let example = 0; example < number; example++) {
      const from = example * inputs;
      for (let unit = 0; unit < outputs; unit++) {
        const slope = above[example * outputs + unit]!;
        if (slope === 0) continue; // dropped, or not above zero
        const row = unit * inputs;
        biasSlopes[unit] = biasSlopes[unit]! + slope;
        for (let k = 0; k < inputs; k++) {
          weightSlopes[row + k] = weightSlopes[row + k]! + slope * input[from + k]!;
          below[from + k] = below[from + k]! + slope * weights[row + k]!;
        }
      }
      const at = factors.shared ? 0 : from;
      // An output above zero was neither rectified away nor dropped. (Nobody asks for the slopes of the inputs.)
      for (let k = 0; k < inputs; k++) {
        below[from + k] = input[from + k]! > 0 ? below[from + k]! * factor[at + k]! : 0;
      }
    }
  }
}

/** Slopes of the logits: (softmax − one-hot)/number. */
function softmaxSlopes(y: Uint8Array, start: number, number: number, classes: number, space: Workspace): void {
  const { logits } = space;
  const slopes = space.slopes[space.slopes.length - 1]!;
  for (let example = 0; example < number; example++) {
    const from = example * classes;
    let largest = -Infinity;
    for (let c = 0; c < classes; c++) largest = Math.max(largest, logits[from + c]!);
    let sum = 0;
    for (let c = 0; c < classes; c++) sum += slopes[from + c] = Math.exp(logits[from + c]! - largest);
    for (let c = 0; c < classes; c++) {
      const target = c === y[start + example]! ? 1 : 0;
      slopes[from + c] = (slopes[from + c]! / sum - target) / number;
    }
  }
}

/** One step of SGD with momentum, as PyTorch takes it: v ← μv + g, θ ← θ − ηv. */
export function descend(
  parameters: Float64Array,
  velocity: Float64Array,
  gradient: Float64Array,
  rate: number,
  momentum: number,
): void {
  for (let index = 0; index < parameters.length; index++) {
    const speed = momentum * velocity[index]! + gradient[index]!;
    velocity[index] = speed;
    parameters[index] = parameters[index]! - rate * speed;
  }
}
