// The one bubble of a page. It comes with the pointer and with the keyboard, stays while either is on the link
// or on the bubble, and goes with Escape (WCAG 2.2, 1.4.13: content on hover or focus).

const OPENING = 250; // milliseconds; passing over a link opens nothing
const CLOSING = 200; // time to reach the bubble
const GAP = 6; // pixels

export class Bubble {
  private readonly element = document.createElement("div");
  private link: HTMLElement | null = null;
  private timer = 0;

  constructor(private readonly content: (link: HTMLAnchorElement) => Node[] | null) {
    this.element.id = "preview";
    this.element.className = "preview";
    this.element.role = "tooltip";
    this.element.hidden = true;
    (document.querySelector("main") ?? document.body).append(this.element);
    this.element.addEventListener("pointerenter", () => clearTimeout(this.timer));
    this.element.addEventListener("pointerleave", () => this.later(() => this.hide(), CLOSING));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.link) {
        this.hide();
        event.stopPropagation();
      }
    }, true);
  }

  watch(link: HTMLAnchorElement): void {
    link.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse") this.later(() => this.show(link), OPENING);
    });
    link.addEventListener("pointerleave", () => this.later(() => this.hide(), CLOSING));
    link.addEventListener("focus", () => {
      if (link.matches(":focus-visible")) this.later(() => this.show(link), 0);
    });
    link.addEventListener("blur", () => this.later(() => this.hide(), 0));
    link.addEventListener("click", () => this.hide());
  }

  private later(action: () => void, delay: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(action, delay);
  }

  private show(link: HTMLAnchorElement): void {
    if (this.link === link) return;
    this.hide();
    const content = this.content(link);
    if (!content) return;
    this.link = link;
    this.element.replaceChildren(...content);
    this.element.hidden = false;
    this.place(link);
    link.setAttribute("aria-describedby", this.element.id);
  }

  /** Below the line on which the link begins, or above it where there is more room, and within the window. */
  private place(link: HTMLElement): void {
    const at = link.getClientRects()[0] ?? link.getBoundingClientRect();
    const { width } = document.documentElement.getBoundingClientRect();
    const below = innerHeight - at.bottom;
    const up = below < this.element.offsetHeight + GAP && at.top > below;
    this.element.style.maxHeight = `${Math.max(up ? at.top : below, 120) - 2 * GAP}px`;
    const left = Math.max(GAP, Math.min(at.left, width - this.element.offsetWidth - GAP));
    const top = up ? at.top - this.element.offsetHeight - GAP : at.bottom + GAP;
    const frame = (this.element.offsetParent ?? document.body).getBoundingClientRect();
    this.element.style.left = `${left - frame.left}px`;
    this.element.style.top = `${top - frame.top}px`;
  }

  private hide(): void {
    clearTimeout(this.timer);
    this.element.hidden = true;
    this.link?.removeAttribute("aria-describedby");
    this.link = null;
  }
}
