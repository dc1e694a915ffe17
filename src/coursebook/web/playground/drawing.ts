// The network as a drawing: units in columns, lines as thick as their weights, dropped units hollow and crossed out.

import { type Colours, mark, type Picture } from "./canvas";
import type { Masks } from "./masks";
import type { Parameters } from "./network";

const TOP = 40;
const BOTTOM = 8;
const SIDE = 26;
/** Layers of more units stand in two columns, so that each unit can still be seen. */
const MOST_IN_COLUMN = 16;
const STAGGER = 7;
/** Lines are drawn in a few strengths at once: thousands of single strokes would take too long. */
const STRENGTHS = 5;

interface Unit {
  readonly x: number;
  readonly y: number;
  readonly isKept: boolean;
}

/** `p` are the drop probabilities of the inputs and hidden layers; `mask` says who is dropped. */
export function drawNetwork(
  picture: Picture,
  parameters: Parameters,
  p: readonly number[],
  mask: Masks,
  colours: Colours,
): void {
  const columns = place(picture, parameters.widths, mask);
  drawLines(picture, parameters, columns, colours);
  columns.forEach((units, layer) => {
    const isLast = layer === columns.length - 1;
    const gap = (picture.height - TOP - BOTTOM) / Math.max(Math.min(units.length, MOST_IN_COLUMN), 5);
    const radius = Math.min(7, 0.4 * gap);
    if (isLast) drawOutputs(picture, units, radius, colours);
    else drawUnits(picture, units, radius, colours);
    const name = layer === 0 ? "inputs" : isLast ? "classes" : `layer ${layer}`;
    drawHead(picture, middleOf(picture, layer, columns.length), name, isLast ? "" : `p = ${p[layer]}`, colours);
  });
}

function middleOf({ width }: Picture, column: number, columns: number): number {
  return SIDE + ((width - 2 * SIDE) * column) / (columns - 1);
}

function place(picture: Picture, widths: readonly number[], mask: Masks): Unit[][] {
  const { height } = picture;
  return widths.map((number, layer) => {
    const gap = (height - TOP - BOTTOM) / Math.max(number, 5);
    const start = TOP + (height - TOP - BOTTOM - gap * number) / 2;
    const middle = middleOf(picture, layer, widths.length);
    const aside = number > MOST_IN_COLUMN ? STAGGER : 0;
    const kept = mask.kept[layer];
    return Array.from({ length: number }, (_, unit) => ({
      x: middle + (unit % 2 ? aside : -aside),
      y: start + gap * (unit + 0.5),
      isKept: kept === undefined || kept[unit] === 1,
    }));
  });
}

function drawLines({ context }: Picture, parameters: Parameters, columns: Unit[][], colours: Colours): void {
  context.strokeStyle = colours.ink;
  parameters.layers.forEach(({ inputs, outputs, weights }, layer) => {
    const paths = Array.from({ length: STRENGTHS }, () => new Path2D());
    let largest = 0;
    for (const weight of weights) largest = Math.max(largest, Math.abs(weight));
    for (let to = 0; to < outputs; to++) {
      const end = columns[layer + 1]![to]!;
      if (!end.isKept) continue;
      for (let from = 0; from < inputs; from++) {
        const start = columns[layer]![from]!;
        if (!start.isKept) continue;
        const strength = Math.abs(weights[to * inputs + from]!) / largest;
        const path = paths[Math.min(STRENGTHS - 1, Math.floor(strength * STRENGTHS))]!;
        path.moveTo(start.x, start.y);
        path.lineTo(end.x, end.y);
      }
    }
    paths.forEach((path, index) => {
      const strength = (index + 0.5) / STRENGTHS;
      context.globalAlpha = 0.04 + 0.6 * strength * strength;
      context.lineWidth = 0.5 + 1.5 * strength;
      context.stroke(path);
    });
  });
  context.globalAlpha = 1;
}

function drawUnits({ context }: Picture, units: Unit[], radius: number, colours: Colours): void {
  const [kept, dropped, crosses] = [new Path2D(), new Path2D(), new Path2D()];
  const arm = 0.9 * radius;
  for (const { x, y, isKept } of units) {
    const path = isKept ? kept : dropped;
    path.moveTo(x + radius, y);
    path.arc(x, y, radius, 0, 2 * Math.PI);
    if (isKept) continue;
    crosses.moveTo(x - arm, y - arm);
    crosses.lineTo(x + arm, y + arm);
    crosses.moveTo(x - arm, y + arm);
    crosses.lineTo(x + arm, y - arm);
  }
  context.fillStyle = colours.ink;
  context.fill(kept);
  context.fillStyle = colours.ground;
  context.fill(dropped);
  context.strokeStyle = colours.faint;
  context.lineWidth = 1;
  context.stroke(dropped);
  context.lineWidth = 1.4;
  context.stroke(crosses);
}

function drawOutputs({ context }: Picture, units: Unit[], radius: number, colours: Colours): void {
  units.forEach(({ x, y }, label) => {
    const path = new Path2D();
    mark(path, label, x, y, Math.max(6, radius));
    context.fillStyle = label === 0 ? colours.a : colours.b;
    context.fill(path);
    context.strokeStyle = colours.ink;
    context.lineWidth = 1;
    context.stroke(path);
    context.fillStyle = colours.ink;
    context.font = "600 13px sans-serif";
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.fillText(label === 0 ? "A" : "B", x + 11, y);
  });
}

function drawHead({ context }: Picture, x: number, name: string, rate: string, colours: Colours): void {
  context.textAlign = "center";
  context.textBaseline = "top";
  context.font = "12px sans-serif";
  context.fillStyle = colours.ink;
  context.fillText(name, x, 2);
  context.fillStyle = colours.faint;
  context.fillText(rate, x, 18);
}
