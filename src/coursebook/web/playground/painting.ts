// A decision surface as a picture: tints for the probability, dots where class B wins, the border, the points.

import { channels, type Colours, mark, type Picture } from "./canvas";
import { EXTENT, type Points } from "./data";
import { GRID } from "./surfaces";

/** How much of a class's colour is mixed into the ground, where a network is undecided and where it is sure. */
const [FAINTEST, STRONGEST] = [0.04, 0.45];
const DOT_EVERY = 3;

/** Paints surfaces; keeps the small image that it enlarges. */
export class SurfacePainter {
  private readonly small = document.createElement("canvas");
  private readonly image = new ImageData(GRID, GRID);

  constructor() {
    this.small.width = this.small.height = GRID;
  }

  /** `shown` begins with the probability of class B in each cell, row by row from the top. */
  paint(picture: Picture, shown: Float64Array, points: Points, colours: Colours): void {
    const { context, width } = picture;
    this.tint(shown, colours);
    context.imageSmoothingEnabled = true;
    context.drawImage(this.small, 0, 0, width, width);
    const cell = width / GRID;
    const dots = new Path2D();
    for (let row = 1; row < GRID; row += DOT_EVERY) {
      for (let column = 1; column < GRID; column += DOT_EVERY) {
        if (shown[row * GRID + column]! > 0.5) dots.rect((column + 0.5) * cell - 0.6, (row + 0.5) * cell - 0.6, 1.2, 1.2);
      }
    }
    context.fillStyle = colours.ink;
    context.globalAlpha = 0.55;
    context.fill(dots);
    context.globalAlpha = 1;
    context.strokeStyle = colours.ink;
    context.lineWidth = 1.5;
    context.stroke(border(shown, cell));
    this.points(picture, points, colours);
  }

  private tint(shown: Float64Array, colours: Colours): void {
    const [ground, a, b] = [channels(colours.ground), channels(colours.a), channels(colours.b)];
    const { data } = this.image;
    for (let cell = 0; cell < GRID * GRID; cell++) {
      const value = Number.isNaN(shown[cell]!) ? 0.5 : shown[cell]!;
      const share = FAINTEST + (STRONGEST - FAINTEST) * Math.abs(2 * value - 1);
      const colour = value > 0.5 ? b : a;
      for (let channel = 0; channel < 3; channel++) {
        data[4 * cell + channel] = ground[channel]! + share * (colour[channel]! - ground[channel]!);
      }
      data[4 * cell + 3] = 255;
    }
    this.small.getContext("2d")!.putImageData(this.image, 0, 0);
  }

  private points({ context, width }: Picture, { x, y }: Points, colours: Colours): void {
    const radius = Math.max(3, width / 70);
    for (const [label, colour] of [colours.a, colours.b].entries()) {
      const path = new Path2D();
      for (let index = 0; index < y.length; index++) {
        if (y[index] !== label) continue;
        const left = ((x[2 * index]! + EXTENT) / (2 * EXTENT)) * width;
        const top = ((EXTENT - x[2 * index + 1]!) / (2 * EXTENT)) * width;
        mark(path, label, left, top, radius);
      }
      context.fillStyle = colour;
      context.fill(path);
      context.strokeStyle = colours.ink;
      context.lineWidth = 1;
      context.stroke(path);
    }
  }
}

/** Where both classes are equally likely: marching squares between the centres of the cells. */
function border(shown: Float64Array, cell: number): Path2D {
  const path = new Path2D();
  const crossings: number[] = [];
  for (let row = 0; row < GRID - 1; row++) {
    for (let column = 0; column < GRID - 1; column++) {
      const corner = row * GRID + column;
      const values = [shown[corner]!, shown[corner + 1]!, shown[corner + GRID + 1]!, shown[corner + GRID]!];
      crossings.length = 0;
      for (let side = 0; side < 4; side++) {
        const from = values[side]! - 0.5;
        const to = values[(side + 1) % 4]! - 0.5;
        if (from > 0 === to > 0) continue;
        const along = from / (from - to);
        const [x, y] = [[along, 0], [1, along], [1 - along, 1], [0, 1 - along]][side]!;
        crossings.push((column + 0.5 + x!) * cell, (row + 0.5 + y!) * cell);
      }
      for (let index = 0; index + 3 < crossings.length; index += 4) {
        path.moveTo(crossings[index]!, crossings[index + 1]!);
        path.lineTo(crossings[index + 2]!, crossings[index + 3]!);
      }
    }
  }
  return path;
}
