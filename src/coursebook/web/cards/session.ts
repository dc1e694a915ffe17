// What is due today, one card after the other.

import type { CardView } from "./card";
import { button, dateText, element, plural } from "./dom";
import { isDue, type Memory, type Review } from "./schedule";

const NEW_AT_A_TIME = 5;

interface Waiting {
  readonly card: CardView;
  readonly memory: Memory;
}

export class Session {
  private readonly news = element("p", { role: "status", class: "review-news" });
  private readonly undoing = element("p");
  private readonly summary = element("p", { class: "review-count", tabindex: "-1" });
  private readonly list = element("ol", { class: "recall-cards review-current" });
  private readonly more = element("div", { class: "recall-actions" });
  private current: CardView | null = null;
  /** Where the current card belongs on the page. */
  private readonly home = document.createComment("the card that is being reviewed");
  private fresh: CardView[] = [];

  constructor(
    place: Element,
    private readonly cards: readonly CardView[],
  ) {
    place.replaceChildren(this.summary, this.news, this.undoing, this.list, this.more);
    this.show();
  }

  /** Show what comes first now, unless the reader may be in the middle of a card. */
  update(): void {
    if (this.current && this.due().includes(this.current)) this.summary.textContent = this.countText();
    else this.show();
  }

  /** A card of this page was graded, or a grade was taken back. */
  graded(card: CardView, given: { review: Review; words: string } | null): void {
    this.fresh = this.fresh.filter((other) => other !== card);
    if (card !== this.current) {
      this.update();
      return;
    }
    if (given === null) return;
    this.news.textContent = given.words;
    this.undoing.replaceChildren(button("Undo", () => this.takeBack(card, given.review)));
    this.show();
    if (this.current) this.current.focus();
    else this.summary.focus();
  }

  private takeBack(card: CardView, review: Review): void {
    this.show(card);
    card.takeBack(review);
    this.news.textContent = "";
    this.undoing.replaceChildren();
    this.summary.textContent = this.countText();
  }

  private waiting(): Waiting[] {
    const found = this.cards.flatMap((card) => {
      const memory = card.memory;
      return memory === null ? [] : [{ card, memory }];
    });
    return found.sort((a, b) => a.memory.due - b.memory.due);
  }

  private due(): CardView[] {
    const now = Date.now();
    const due = this.waiting().filter(({ memory }) => isDue(memory, now));
    const ready = due.filter(({ memory }) => memory.due <= now).map(({ card }) => card);
    const later = due.filter(({ memory }) => memory.due > now).map(({ card }) => card);
    return [...ready, ...this.fresh, ...later];
  }

  private show(wanted?: CardView): void {
    this.putBack();
    this.current = wanted ?? this.due()[0] ?? null;
    if (this.current) {
      this.current.item.before(this.home);
      this.list.append(this.current.item);
    }
    this.list.hidden = this.current === null;
    this.summary.textContent = this.countText();
    this.offerNew();
  }

  private putBack(): void {
    if (this.current === null) return;
    this.home.replaceWith(this.current.item);
    this.current.clear();
  }

  private countText(): string {
    const fresh = this.fresh.length;
    const old = this.due().length - fresh;
    const parts = [];
    if (old || !fresh) parts.push(old ? `${plural(old, "card is", "cards are")} due today` : "Nothing is due today");
    if (fresh) parts.push(plural(fresh, "new card"));
    const next = this.waiting().find(({ memory }) => !isDue(memory, Date.now()));
    const then = old + fresh === 0 && next ? ` The next card is due on ${dateText(next.memory.due)}.` : "";
    return `${parts.join(", ")}.${then}`;
  }

  private offerNew(): void {
    const chapters = new Map<string, CardView[]>();
    for (const card of this.cards) {
      if (card.memory !== null || this.fresh.includes(card)) continue;
      chapters.set(card.page, [...(chapters.get(card.page) ?? []), card]);
    }
    const buttons = [...chapters.values()].map((unseen) => this.offer(unseen));
    this.more.hidden = this.current !== null || buttons.length === 0;
    this.more.replaceChildren(element("span", {}, "Learn new cards: "), ...buttons);
  }

  private offer(unseen: CardView[]): HTMLElement {
    const title = unseen[0]?.item.closest("[data-page]")?.querySelector("h3")?.textContent ?? "";
    const taken = unseen.slice(0, NEW_AT_A_TIME);
    return button(`${title.trim()} (${taken.length} of ${unseen.length})`, () => {
      this.fresh = [...this.fresh, ...taken];
      this.news.textContent = "";
      this.undoing.replaceChildren();
      this.show();
      this.current?.focus();
    });
  }
}
