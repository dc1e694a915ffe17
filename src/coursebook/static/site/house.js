// What HTML and CSS cannot do alone. The page can be read without it.
document.addEventListener("DOMContentLoaded", () => {
  // What scrolls sideways must be reachable with the keyboard.
  const scrolling = ".katex-display, .cell_output .output, .pst-scrollable-table-container, pre";
  const update = () => {
    for (const element of document.querySelectorAll(scrolling)) {
      if (element.scrollWidth > element.clientWidth + 1) element.tabIndex = 0;
      else element.removeAttribute("tabindex");
    }
  };
  update();
  addEventListener("resize", update);

  // The search button is named by the words on it; the sidebar is a part of the page with a name.
  document.querySelector(".search-button-field")?.removeAttribute("aria-label");
  const sidebar = document.querySelector("#pst-primary-sidebar");
  sidebar?.setAttribute("role", "complementary");
  sidebar?.setAttribute("aria-label", "Book");

  // Paper cannot be clicked: print what is hidden, and hide it again.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("article details:not([open])")];
    for (const details of opened) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of opened) details.open = false;
  });
});
