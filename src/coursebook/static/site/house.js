// What HTML and CSS cannot do alone. The page can be read without it.
document.addEventListener("DOMContentLoaded", () => {
  // What scrolls sideways must be reachable with the keyboard.
  const scrolling = ".katex-display, .cell_output .output, .pst-scrollable-table-container, pre";
  const update = () => {
    // All is measured before anything is changed: otherwise each change would have the page laid out again.
    const elements = [...document.querySelectorAll(scrolling)];
    const wide = elements.map((element) => element.scrollWidth > element.clientWidth);
    elements.forEach((element, index) => {
      if (wide[index]) element.tabIndex = 0;
      else element.removeAttribute("tabindex");
    });
  };
  update();
  addEventListener("resize", update);

  // The search button is named by the words on it; the sidebar is a part of the page with a name.
  document.querySelector(".search-button-field")?.removeAttribute("aria-label");
  const sidebar = document.querySelector("#pst-primary-sidebar");
  sidebar?.setAttribute("role", "complementary");
  sidebar?.setAttribute("aria-label", "Book");

  // Claims of one verdict at a time: a button stays pressed, and the others of its group are released.
  for (const filter of document.querySelectorAll(".claim-filter")) {
    const claims = [];
    for (let next = filter.nextElementSibling; next?.matches(".claim"); next = next.nextElementSibling) {
      claims.push(next);
    }
    const buttons = [...filter.querySelectorAll("button")];
    for (const button of buttons) {
      button.addEventListener("click", () => {
        for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
        const verdict = button.dataset.verdict;
        for (const claim of claims) claim.hidden = verdict && !claim.matches(`.claim-${verdict}`);
      });
    }
    // A link to a claim must not end at one that is hidden.
    addEventListener("hashchange", () => {
      if (claims.some((claim) => claim.hidden && `#${claim.id}` === location.hash)) buttons[0].click();
    });
    filter.hidden = false;
  }

  // Paper cannot be clicked: print what is hidden, and hide it again.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("article details:not([open])")];
    for (const details of opened) details.open = true;
    for (const image of document.images) image.loading = "eager";
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
});
