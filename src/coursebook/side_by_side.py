"""Published results beside our own: ``{paper-table}`` lists them, with what differs and the verdict."""

from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from coursebook.evidence import effect_of, judged, note_results
from coursebook.numbers import unbroken

PAPERS = tuple(f"R{number}" for number in range(1, 10))


class PaperTable(SphinxDirective):
    """Published results beside our own."""

    option_spec: ClassVar[dict[str, Any]] = {"ids": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return one table: published number, protocol differences, our number, verdict."""
        root = Path(self.env.srcdir) / "results"
        note_results(self.env, root)
        wanted = self.options.get("ids", " ".join(PAPERS)).split()
        lines = ["````{list-table}", ":header-rows: 1", ":widths: 11 21 22 28 18", ":class: wide-table", ""]
        lines += _row("", "Published", "What differs here", "Measured here", "Verdict")
        for name in wanted:
            claim = judged(root)[name]
            entry = claim.entry
            own = [
                (f"{each.part.about}: " if each.part.about else "") + effect_of(each)
                for each in claim.findings
            ]
            lines += _row(
                f"{name} {{cite:t}}`{entry.source}`",
                unbroken(entry.published),
                unbroken(entry.differences or entry.scope),
                own[0] if len(own) == 1 else own or "–",
                f"{{claim}}`{name}`",
            )
        return self.parse_text_to_nodes("\n".join([*lines, "````"]))


def _row(*cells: str | list[str]) -> list[str]:
    """Write a row of a list-table; a cell may hold a list.

    Example:
        >>> _row("a", ["b", "c"], "d")
        ['* - a', '  - - b', '    - c', '  - d']
    """
    lines = []
    for place, cell in enumerate(cells):
        for index, item in enumerate(cell if isinstance(cell, list) else [cell]):
            outer = "* - " if place == 0 else "  - " if index == 0 else "    "
            lines.append(f"{outer}{'- ' if isinstance(cell, list) else ''}{item}".rstrip())
    return lines


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("paper-table", PaperTable)
