// The numeric core as tests call it: given weights, data and masks, what forward, backward and training give.

import { evaluation, Masks, type Mode } from "./masks";
import { backward, crossEntropy, forward, Parameters, Workspace } from "./network";
import type { Settings } from "./state";
import { Trainer } from "./trainer";

/** Everything about one pass; `masks` has one list of 0 and 1 per example for the inputs and each hidden layer. */
export interface Question {
  readonly widths: readonly number[];
  readonly weights: readonly (readonly (readonly number[])[])[];
  readonly biases: readonly (readonly number[])[];
  readonly x: readonly (readonly number[])[];
  readonly y: readonly number[];
  readonly p: readonly number[];
  readonly mode: Mode;
  readonly training: boolean;
  readonly masks: readonly (readonly (readonly number[])[])[];
}

/** Logits, mean cross-entropy, and its gradient in the form of weights and biases. */
export function forwardBackward(question: Question) {
  const { widths, p, mode, training } = question;
  const number = question.y.length;
  const parameters = new Parameters(widths);
  parameters.layers.forEach((layer, index) => {
    layer.weights.set(question.weights[index]!.flat());
    layer.biases.set(question.biases[index]!);
  });
  const masks = new Masks(widths, { p, mode }, number);
  masks.set(question.masks.map((rows) => rows.flat()));
  const factors = training ? masks.factors : evaluation(widths, { p, mode });
  const space = new Workspace(widths, number);
  const gradient = new Parameters(widths);
  const y = Uint8Array.from(question.y);
  forward(parameters, Float64Array.from(question.x.flat()), 0, number, factors, space);
  const loss = crossEntropy(y, 0, number, widths[widths.length - 1]!, space);
  backward(parameters, y, 0, number, factors, space, gradient);
  return {
    logits: [...space.logits],
    loss,
    weights: gradient.layers.map((layer) => [...layer.weights]),
    biases: gradient.layers.map((layer) => [...layer.biases]),
  };
}

/** Train for some epochs and tell everything that chance decided, so that the run can be repeated elsewhere. */
export function record(settings: Settings, epochs: number) {
  const trainer = new Trainer(settings);
  const snapshot = () => ({
    weights: trainer.parameters.layers.map((layer) => [...layer.weights]),
    biases: trainer.parameters.layers.map((layer) => [...layer.biases]),
  });
  const start = snapshot();
  const batches: { points: number[]; masks: number[][] }[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    trainer.step((points, masks) => {
      const kept = masks.kept.map((layer, index) => [...layer.subarray(0, points.length * trainer.widths[index]!)]);
      batches.push({ points: [...points], masks: kept });
    });
  }
  const points = ({ x, y }: { x: Float64Array; y: Uint8Array }) => ({ x: [...x], y: [...y] });
  const { widths, losses } = trainer;
  return { widths, train: points(trainer.train), test: points(trainer.test), start, batches, losses, end: snapshot() };
}
