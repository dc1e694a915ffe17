// What the pictures show, in words: for the live region, for descriptions, and for the table below the surfaces.

import type { Losses } from "./curve";
import type { Masks } from "./masks";
import type { Settings } from "./state";
import type { Score } from "./surfaces";

export function lossText(loss: number): string {
  return Number.isFinite(loss) ? loss.toFixed(3) : "not a number";
}

function plural(number: number, one: string): string {
  return `${number} ${one}${number === 1 ? "" : "s"}`;
}

export const DIVERGED = "The loss is not a number any more. Choose a smaller learning rate.";
export const IS_OVER = "This run has reached its last epoch. Start again, or change a setting.";

/** Where training stands. */
export function progressText(losses: Losses): string {
  const epoch = losses.train.length - 1;
  const [train, test] = [losses.train[epoch]!, losses.test[epoch]!];
  return `Epoch ${epoch}: loss ${lossText(train)} on the training points, ${lossText(test)} on the test points.`;
}

/** Who is missing in the drawn network. */
export function maskText(settings: Settings, mask: Masks): string {
  const parts = settings.p.flatMap((p, layer) => {
    if (p === 0) return [];
    const all = mask.kept[layer]!.length;
    return [`${mask.dropped(layer)} of ${layer === 0 ? `${all} inputs` : `${all} units in layer ${layer}`}`];
  });
  return parts.length ? `The mask that is drawn drops ${listed(parts)}.` : "Nobody is dropped.";
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts[parts.length - 1]}`;
}

export function networkText(settings: Settings, mask: Masks): string {
  const hidden = settings.p.length - 1;
  const each = hidden === 1 ? "" : " each";
  const layers = `${plural(hidden, "hidden layer")} of ${settings.width} units${each}`;
  return `A network with 2 inputs, ${layers} and 2 classes. ${maskText(settings, mask)}`;
}

export function surfaceText(name: string, { train, test }: { train: Score; test: Score }): string {
  const on = (score: Score, kind: string) => `${score.wrong} of ${score.number} ${kind} points`;
  return `${name}: ${on(train, "training")} and ${on(test, "test")} lie on the wrong side of its border.`;
}

export function curveText(losses: Losses): string {
  const epoch = losses.train.length - 1;
  if (epoch === 0) return "Loss over epochs; nothing is trained yet.";
  const best = losses.test.indexOf(Math.min(...losses.test));
  const from = (values: readonly number[]) => `from ${lossText(values[0]!)} to ${lossText(values[epoch]!)}`;
  return (
    `Loss over ${plural(epoch, "epoch")}: on the training points ${from(losses.train)}, on the test points ` +
    `${from(losses.test)}, lowest at epoch ${best} with ${lossText(losses.test[best] ?? NaN)}.`
  );
}
