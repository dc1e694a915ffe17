// Points in the plane of two classes, A and B: two moons, two circles, two spirals.

import { Random } from "./random";

/** Coordinates one after the other, x₁ and x₂ of the first point first; class 0 is A, class 1 is B. */
export interface Points {
  readonly x: Float64Array;
  readonly y: Uint8Array;
}

export type Shape = "moons" | "circles" | "spirals";

/** The pictures show the square from −EXTENT to EXTENT in both directions. */
export const EXTENT = 1.8;

/** Where a point of class `label` lies without noise; `place` in [0, 1) runs along its curve. */
function position(shape: Shape, label: number, place: number): [number, number] {
  switch (shape) {
    case "moons": {
      const angle = Math.PI * place;
      const [x, y] = label === 0 ? [Math.cos(angle), Math.sin(angle)] : [1 - Math.cos(angle), 0.5 - Math.sin(angle)];
      return [x - 0.5, 1.2 * (y - 0.25)];
    }
    case "circles": {
      const radius = label === 0 ? 1.2 : 0.6;
      return [radius * Math.cos(2 * Math.PI * place), radius * Math.sin(2 * Math.PI * place)];
    }
    case "spirals": {
      const radius = 0.15 + 1.25 * place;
      const angle = 3.2 * Math.PI * place + Math.PI * label;
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    }
  }
}

/**
 * Draw points, the classes by turns.
 *
 * @param number how many
 * @param noise standard deviation of what is added to each coordinate
 */
export function draw(shape: Shape, number: number, noise: number, random: Random): Points {
  const x = new Float64Array(2 * number);
  const y = new Uint8Array(number);
  for (let index = 0; index < number; index++) {
    const label = index % 2;
    const [first, second] = position(shape, label, random.uniform());
    x[2 * index] = first + noise * random.normal();
    x[2 * index + 1] = second + noise * random.normal();
    y[index] = label;
  }
  return { x, y };
}
