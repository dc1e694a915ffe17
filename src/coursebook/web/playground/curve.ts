// Both losses over the epochs: training as a full line, test as a dashed one, named at their ends.

import type { Colours, Picture } from "./canvas";

const LEFT = 30;
const RIGHT = 58;
const TOP = 10;
const BOTTOM = 24;

export interface Losses {
  readonly train: readonly number[];
  readonly test: readonly number[];
}

/** Where the axis ends: above every loss, at a round number. */
export function topOf(losses: Losses): number {
  let largest = 0.75;
  for (const values of [losses.train, losses.test]) {
    for (const value of values) if (Number.isFinite(value)) largest = Math.max(largest, value);
  }
  const step = 10 ** Math.floor(Math.log10(largest));
  return Math.ceil(largest / step) * step;
}

export function drawCurve(picture: Picture, losses: Losses, colours: Colours): void {
  const { context, width, height } = picture;
  const top = topOf(losses);
  const epochs = Math.max(10, losses.train.length - 1);
  const x = (epoch: number) => LEFT + ((width - LEFT - RIGHT) * epoch) / epochs;
  const y = (loss: number) => TOP + (height - TOP - BOTTOM) * (1 - loss / top);

  context.strokeStyle = colours.faint;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(LEFT, TOP);
  context.lineTo(LEFT, y(0));
  context.lineTo(width - RIGHT, y(0));
  context.stroke();
  context.font = "12px sans-serif";
  context.fillStyle = colours.faint;
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.fillText("0", LEFT - 5, y(0));
  context.fillText(String(Number(top.toPrecision(2))), LEFT - 5, y(top) + 2);
  context.textBaseline = "top";
  context.fillText(String(epochs), width - RIGHT, y(0) + 6);
  context.textAlign = "left";
  context.fillText("epoch", LEFT, y(0) + 6);

  context.strokeStyle = context.fillStyle = colours.ink;
  context.lineWidth = 1.8;
  line(context, losses.train, x, y, []);
  line(context, losses.test, x, y, [5, 4]);
  context.textBaseline = "middle";
  const ends = [losses.train, losses.test].map((values) => y(Math.min(top, lastFinite(values))));
  const middle = (ends[0]! + ends[1]!) / 2;
  const isClose = Math.abs(ends[0]! - ends[1]!) < 14;
  ["training", "test"].forEach((name, index) => {
    const isLower = ends[index]! > ends[1 - index]! || (ends[0] === ends[1] && index === 0);
    const place = isClose ? middle + (isLower ? 7 : -7) : ends[index]!;
    context.fillText(name, x(losses.train.length - 1) + 6, place);
  });
}

function lastFinite(values: readonly number[]): number {
  for (let index = values.length - 1; index >= 0; index--) {
    const value = values[index]!;
    if (Number.isFinite(value)) return value;
  }
  return 0;
}

function line(
  context: CanvasRenderingContext2D,
  values: readonly number[],
  x: (epoch: number) => number,
  y: (loss: number) => number,
  dash: number[],
): void {
  const path = new Path2D();
  // More than one epoch for each pixel would not be seen.
  const every = Math.max(1, Math.floor(values.length / 600));
  values.forEach((value, epoch) => {
    if (!Number.isFinite(value) || (epoch % every && epoch !== values.length - 1)) return;
    if (epoch === 0) path.moveTo(x(epoch), y(value));
    else path.lineTo(x(epoch), y(value));
  });
  context.setLineDash(dash);
  context.stroke(path);
  context.setLineDash([]);
}
