r"""The directives that show cards.

``{cards}`` shows the cards of one file, or those of one objective::

    ```{cards} 04-scaling
    :objective: scaling/expectation
    ```

``{review}`` shows every card of the book, with the places where its script puts what is due, the progress and
the stored data, and a link to the same cards for Anki::

    ```{review}
    ```
"""

from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

from coursebook.anki import DECK_FILE, write_deck
from coursebook.card_html import CardWriter
from coursebook.card_nodes import html
from coursebook.cards import CardError, load_cards
from coursebook.objectives import Bank, load_bank

logger = logging.getLogger(__name__)

STYLE, SCRIPT = "cards.css", "cards.js"

# In the metadata of a page:
_HAS_CARDS, _HAS_REVIEW = "recall_cards", "recall_review"
_NEEDS_SCRIPT = "This part needs JavaScript, which is off here. The cards below work without it."


class Cards(SphinxDirective):
    """Show the cards of one chapter."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"objective": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Read the file and turn each card into nodes."""
        path = _folder(self) / f"{self.arguments[0]}.yml"
        self.env.note_dependency(str(path))
        try:
            cards = load_cards(path)
        except CardError as error:
            raise self.error(str(error)) from error
        objective = self.options.get("objective")
        chosen = [card for card in cards if objective in (None, card.objective)]
        if not chosen:
            known = ", ".join(sorted({card.objective for card in cards}))
            raise self.error(f"{path} has no card for the objective {objective!r}; it has {known}")
        _mark(self)
        writer = CardWriter(self)
        return [html("ol", *(writer.card(card) for card in chosen), classes=["recall-cards"])]


class Review(SphinxDirective):
    """Show all cards by chapter and objective; the script finds what is due in the reader's browser."""

    def run(self) -> list[nodes.Node]:
        """Read the bank and lay out the page."""
        folder = _folder(self)
        for path in folder.glob("*.yml"):
            self.env.note_dependency(str(path))
        try:
            bank = load_bank(folder)
        except CardError as error:
            raise self.error(str(error)) from error
        _mark(self)
        self.env.metadata[self.env.docname][_HAS_REVIEW] = True
        return [
            self._section("due-today", "Due today", _place("session")),
            self._section("your-progress", "Your progress", _place("progress")),
            self._section("your-data", "Your data", _place("data")),
            self._section("the-same-cards-in-anki", "The same cards in Anki", self._download()),
            self._section("all-cards", "All cards", self._all(bank)),
        ]

    def _section(self, name: str, title: str, content: nodes.Node) -> nodes.section:
        section = nodes.section("", nodes.title("", title), content, ids=[name])
        self.set_source_info(section)
        return section

    def _download(self) -> nodes.paragraph:
        link = html(
            "a",
            nodes.Text(DECK_FILE),
            attributes={"href": relative_uri(f"{self.env.docname}.html", DECK_FILE), "download": ""},
        )
        words = "All cards as a deck for Anki, for those who review there: "
        return nodes.paragraph("", "", nodes.Text(words), link, nodes.Text("."))

    def _all(self, bank: Bank) -> nodes.Element:
        writer = CardWriter(self)
        parts: list[nodes.Node] = []
        for page in bank.pages():
            title = html("h3", *self.parse_text_to_nodes(f"[](/chapters/{page}.md)")[0].children)
            parts.append(html("div", title, attributes={"data-page": page}))
            for objective in bank.objectives:
                if objective.page == page:
                    cards = html("ol", *(writer.card(card) for card in bank.of(objective)))
                    cards["classes"].append("recall-cards")
                    heading = html("h4", *self.parse_inline(objective.text)[0])
                    parts[-1] += html("div", heading, cards, attributes={"data-objective": objective.id})
        summary = html("summary", nodes.Text("Show or hide all cards"))
        return html("details", summary, *parts, attributes={"open": "open"}, classes=["review-all"])


def _folder(directive: SphinxDirective) -> Path:
    return Path(directive.env.srcdir) / "exercises" / "cards"


def _place(name: str) -> nodes.Element:
    """Where the script puts something; without it, the reader is told."""
    note = html("p", nodes.Text(_NEEDS_SCRIPT))
    return html("div", note, attributes={"data-review": name}, classes=["review-panel"])


def _mark(directive: SphinxDirective) -> None:
    directive.env.metadata[directive.env.docname][_HAS_CARDS] = True


def add_script(
    app: Sphinx, page: str, _template: str, _context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Load the script and the style of cards on the pages that have some."""
    if app.env.metadata.get(page, {}).get(_HAS_CARDS):
        app.add_css_file(STYLE)
        app.add_js_file(SCRIPT, loading_method="defer")


def write_anki(app: Sphinx, exception: Exception | None) -> None:
    """Put the deck beside the first page of a book that has a Review page, which offers it."""
    if exception is not None or app.builder.format != "html":
        return
    if not any(_HAS_REVIEW in data for data in app.env.metadata.values()):
        return
    bank = load_bank(Path(app.srcdir) / "exercises" / "cards")
    try:
        write_deck(bank, Path(app.outdir) / DECK_FILE, address=app.config.html_baseurl)
    except CardError as error:
        logger.warning("%s", error, type="anki")


def setup(app: Sphinx) -> None:
    """Register the directives and the steps of a build."""
    app.add_directive("cards", Cards)
    app.add_directive("review", Review)
    app.connect("html-page-context", add_script)
    app.connect("build-finished", write_anki)
