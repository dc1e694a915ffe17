// A canvas as sharp as its screen, and the colours of the page's theme.

export interface Colours {
  readonly a: string;
  readonly b: string;
  readonly ground: string;
  readonly ink: string;
  readonly faint: string;
}

/** The theme's colours as the style sheet names them; they change between light and dark. */
export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  const value = (name: string) => style.getPropertyValue(`--play-${name}`).trim();
  return { a: value("a"), b: value("b"), ground: value("ground"), ink: value("ink"), faint: value("faint") };
}

/** Red, green and blue of any colour that CSS knows. */
export function channels(colour: string): [number, number, number] {
  const context = document.createElement("canvas").getContext("2d")!;
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0] = context.getImageData(0, 0, 1, 1).data;
  return [red, green, blue];
}

/** A drawing on a canvas, in CSS pixels whatever the screen; it is asked to draw again when its size changes. */
export class Picture {
  readonly context: CanvasRenderingContext2D;
  width = 0;
  height = 0;

  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly draw: (picture: Picture) => void,
  ) {
    this.context = canvas.getContext("2d")!;
    new ResizeObserver(() => this.paint()).observe(canvas);
  }

  /** What the picture shows, for somebody who cannot see it. */
  describe(words: string): void {
    if (this.canvas.getAttribute("aria-label") !== words) this.canvas.setAttribute("aria-label", words);
  }

  paint(): void {
    const scale = window.devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    const [width, height] = [Math.round(this.width * scale), Math.round(this.height * scale)];
    if (width === 0 || height === 0) return;
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
    }
    this.context.setTransform(scale, 0, 0, scale, 0, 0);
    this.context.clearRect(0, 0, this.width, this.height);
    this.draw(this);
  }
}

/** The marks of the classes differ in shape as well as in colour: a disc for A, a square for B. */
export function mark(path: Path2D, label: number, x: number, y: number, radius: number): void {
  if (label === 0) {
    path.moveTo(x + radius, y);
    path.arc(x, y, radius, 0, 2 * Math.PI);
  } else {
    const half = 0.89 * radius; // of equal area
    path.rect(x - half, y - half, 2 * half, 2 * half);
  }
}
