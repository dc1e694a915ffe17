"""What axe finds on a page, in a tenth of the time that it takes by itself.

Nine tenths of axe's time go into the contrast of each piece of text, of which a chapter has two thousand in
some fifty kinds. So contrast is measured once for each kind: the same colour, size and weight on the same
ground.
"""

from axe_playwright_python.base import AXE_SCRIPT

# Marks one element of each kind. What has no text of its own, such as a field, is a kind of its own.
MARK_KINDS = """() => {
  for (const old of document.querySelectorAll("[data-kind-of-text]")) delete old.dataset.kindOfText;
  const grounds = new Map([[null, ""]]), kinds = new Set();
  const ground = (element) => {
    if (!grounds.has(element)) {
      const { backgroundColor, backgroundImage, opacity, filter, position } = getComputedStyle(element);
      const own = [backgroundColor, backgroundImage, opacity, filter, position].join();
      const plain = own === "rgba(0, 0, 0, 0),none,1,none,static" || own.endsWith("0),none,1,none,relative");
      grounds.set(element, ground(element.parentElement) + (plain ? "" : `/${own}`));
    }
    return grounds.get(element);
  };
  const note = (element, kind) => {
    if (kinds.has(kind)) return;
    kinds.add(kind);
    element.dataset.kindOfText = kinds.size;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (texts.currentNode.data.trim() && element.checkVisibility({ visibilityProperty: true })) {
      const { color, fontSize, fontWeight, textShadow } = getComputedStyle(element);
      note(element, [color, fontSize, fontWeight, textShadow, ground(element)].join());
    }
  }
  for (const field of document.querySelectorAll("input, select, textarea")) note(field, field);
  return kinds.size;
}"""


# By itself the rule looks at every element.
ONE_OF_EACH_KIND = """axe.configure({
  rules: [{ id: "color-contrast", selector: "[data-kind-of-text]" }]
})"""
# To preload would be to fetch style sheets, which a browser refuses on a disk.
RUN = """async (options) =>
  (await axe.run(document, { preload: false, resultTypes: ["violations"], ...options })).violations"""


def violations_on(page, rules=None):
    """What axe finds by all its rules, or by some; one line for each rule that is broken."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
        page.evaluate(ONE_OF_EACH_KIND)
    assert page.evaluate(MARK_KINDS) > 3
    return [
        f"{rule['id']} ({rule['help']}): {[node['html'][:120] for node in rule['nodes'][:3]]}"
        for rule in page.evaluate(RUN, {"runOnly": rules} if rules else {})
    ]
