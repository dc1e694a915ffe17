"""From the book's MyST to the Markdown that every notebook program shows."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode
from pybtex.database import Entry, parse_file

from coursebook.errors import BookError
from coursebook.pairs import Pair, read_notebook

_HIDDEN = "application/papermill.record/"  # before what `glue(..., display=False)` stores
_ROLE = re.compile(r"\{([a-z:]+)\}`([^`]+)`")
_NAMED = re.compile(r"^(.*?)\s*<([^<>]+)>$", re.DOTALL)
_LABEL = re.compile(r"^\([\w-]+\)=\s*\n?", re.MULTILINE)
_NUMBERED_EQUATION = re.compile(r"\$\$ \(eq-[\w-]+\)")


@dataclass(frozen=True)
class Inline:
    """Turns the roles on one page into plain Markdown.

    Args:
        root: the repository's root folder.
        page: path of the page below ``root`` without a suffix, e.g. ``exercises/04-scaling``.
    """

    root: Path
    page: str
    _pages: dict[str, Mapping[str, str]] = field(default_factory=dict, repr=False)

    def markdown(self, text: str) -> str:
        """Replace roles, and leave out labels, which nothing outside the book can refer to.

        Raises:
            BookError: a role is not known here, or it names a value or a page that is not there.
        """
        text = _NUMBERED_EQUATION.sub("$$", _LABEL.sub("", text))
        return _ROLE.sub(self._replace, text)

    def _replace(self, role: re.Match[str]) -> str:
        name, content = role[1], role[2].strip()
        if name == "doc":
            return self._link(content)
        if name in ("glue:text", "glue"):
            return self._value(content)
        if name == "evidence":
            return f"*({content})*"
        if name == "cite":
            return f"({'; '.join(self._authors(key.strip()) for key in content.split(','))})"
        if name == "claim":
            return f"(claim {content})"
        raise BookError(
            f"{self.page}.md uses {role[0]}, which a workbook cannot show; "
            f"teach coursebook.workbook_text the role {name!r}"
        )

    def _link(self, content: str) -> str:
        named = _NAMED.match(content)
        title, target = (named[1], named[2]) if named else ("", content)
        path = (self.root / self.page).parent / target
        stem = path.with_suffix("") if path.suffix in (".md", ".ipynb") else path
        for suffix in (".ipynb", ".md"):
            source = stem.with_name(stem.name + suffix)
            if source.exists():
                relative = source.resolve().relative_to(self.root.resolve())
                return self._linked(title or self._title(relative), relative)
        raise BookError(f"{self.page}.md refers to {target}, which is no page of the book")

    def _linked(self, text: str, relative: Path) -> str:
        """A link to a page, given below the root."""
        return f"[{text}](../{relative.as_posix()})"

    def _title(self, relative: Path) -> str:
        if relative.suffix == ".ipynb":
            cells = stored_notebook(Pair(self.root, relative.with_suffix("").as_posix())).cells
            text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        else:
            text = (self.root / relative).read_text(encoding="utf-8")
        heading = re.search(r"^# (.+)$", text, re.MULTILINE)
        if heading is None:
            raise BookError(f"{relative.as_posix()}, which {self.page}.md refers to, has no title")
        return heading[1]

    def _value(self, content: str) -> str:
        place, _, key = content.removesuffix(":s").rpartition("::")  # ":s" writes a text as it is
        page = self.page
        if place:
            path = (self.root / self.page).parent / place
            page = path.resolve().relative_to(self.root.resolve()).with_suffix("").as_posix()
        if page not in self._pages:
            self._pages[page] = glued(stored_notebook(Pair(self.root, page)))
        try:
            return self._pages[page][key]
        except KeyError:
            raise BookError(f"{self.page}.md inserts {key!r}, which {page}.ipynb does not compute") from None

    def _authors(self, key: str) -> str:
        try:
            return self._references[key]
        except KeyError:
            raise BookError(f"{self.page}.md cites {key!r}, which is not in references.bib") from None

    @cached_property
    def _references(self) -> dict[str, str]:
        entries = parse_file(str(self.root / "references.bib")).entries
        return {key: _author_year(entry) for key, entry in entries.items()}


def stored_notebook(pair: Pair) -> NotebookNode:
    """Read a page's stored notebook.

    Raises:
        BookError: there is none.
    """
    notebook = read_notebook(pair)
    if notebook is None:
        raise BookError(f"{pair.name}.ipynb is missing: run make execute")
    return notebook


def glued(notebook: NotebookNode) -> dict[str, str]:
    """The values that a notebook offers to the text, by name."""
    found = {}
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name:
                data = output.data
                plain = data.get(f"{_HIDDEN}text/plain", data.get("text/plain", ""))
                text = ast.literal_eval(plain) if plain[:1] in ("'", '"') else plain
                found[name.removeprefix(_HIDDEN)] = str(text)
    return found


def _author_year(entry: Entry) -> str:
    persons = entry.persons.get("author", [])
    names = [" ".join(person.last_names) for person in persons]
    who = names[0] if len(names) == 1 else " and ".join(names) if len(names) == 2 else f"{names[0]} et al."
    return f"{who} {entry.fields.get('year', '')}".strip()
