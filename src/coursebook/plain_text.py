"""A chapter's MyST as plain Markdown: what its directives say, and the numbers that Sphinx gives."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode

from coursebook.benchmarks import look_up, read_run
from coursebook.errors import BookError
from coursebook.workbook_text import Inline

_LABELLED = re.compile(r"^\$\$ \(([\w-]+)\)", re.MULTILINE)
_LABEL = re.compile(r"^\(([\w-]+)\)=", re.MULTILINE)
_TABLE = re.compile(r"^[:`]{3,}\{table\}.*\n:name: ([\w-]+)", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|#)([^)#\s]+\.(?:md|ipynb))(?:#[^)\s]*)?\)")
_NAMED = re.compile(r"^(.*?)\s*<([^<>]+)>$", re.DOTALL)


def numbers(notebook: NotebookNode, first: str) -> dict[str, str]:
    r"""What ``{eq}`` and ``{numref}`` write on a page, by label.

    Args:
        notebook: the page.
        first: the number of the chapter.

    Returns:
        Such as ``{"eq-shift": "(6.1)", "fig-law": "Fig. 6.1"}``; equations, figures and tables are counted
        each by themselves, in the order of the page.
    """
    found: dict[str, str] = {}
    counts = {"eq": 0, "Fig.": 0, "Table": 0}

    def add(label: str, kind: str) -> None:
        counts[kind] += 1
        number = f"{first}.{counts[kind]}"
        found[label] = f"({number})" if kind == "eq" else f"{kind} {number}"

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for label in _LABELLED.findall(cell.source):
                add(label, "eq")
            for label in _TABLE.findall(cell.source):
                add(label, "Table")
        elif figure(cell):
            add(figure(cell).get("name", f"{cell.id}"), "Fig.")
    return found


def figure(cell: NotebookNode) -> dict[str, str]:
    """The caption and the name that a cell gives its picture; empty where it makes none."""
    given: dict[str, str] = cell.metadata.get("mystnb", {}).get("figure", {})
    return given


@dataclass(frozen=True)
class Plain(Inline):
    """Turns what stands within the lines of a chapter into Markdown that every notebook program shows.

    Args:
        base: address of the published book, with a slash at its end; empty where it has none.
        labels: what a label's number is, from `numbers`.
        verdict: tells the verdict on a claim by its id.
    """

    base: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    verdict: Callable[[str], str] = str

    def markdown(self, text: str) -> str:
        """Replace roles, and number equations where Sphinx would."""
        text = _LABELLED.sub(lambda match: f"\\tag{{{self.labels[match[1]].strip('()')}}}\n$$", text)
        return super().markdown(_LINK.sub(lambda match: self._link(f"{match[1]} <{match[2]}>"), text))

    def _replace(self, role: re.Match[str]) -> str:
        name, content = role[1], role[2].strip()
        named = _NAMED.match(content)
        words, target = (named[1], named[2]) if named else (content, content)
        if name in ("eq", "numref"):
            if target not in self.labels:
                raise BookError(f"{self.page}.md refers to {target}, which has no number on the page")
            return self.labels[target]
        if name == "claim":
            return f"({content}: {self.verdict(content)})"
        if name == "verdict":
            return f"*({content})*"
        if name == "bench":
            return look_up(read_run(self.root), content)
        if name in ("ref", "term"):
            return words
        if name == "playground":
            return f"[{words}]({self.base}playground.html#{target})" if self.base else words
        if name == "cite:t":
            return "; ".join(self._authors(key.strip()) for key in content.split(","))
        return super()._replace(role)

    def _linked(self, text: str, relative: Path) -> str:
        if self.base:
            return f"[{text}]({self.base}{relative.with_suffix('').as_posix()}.html)"
        # Only notebooks lie beside this one.
        return f"[{text}](../{relative.as_posix()})" if relative.suffix == ".ipynb" else f"*{text}*"
