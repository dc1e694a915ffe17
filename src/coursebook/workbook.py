"""Workbooks: the exercises of a page as a notebook to work in, with empty cells, and answers folded away.

The page's own notebook is written for the book: outside it, its directives stay raw text, and its solutions
lie open. The workbook holds the same tasks in plain Markdown. Below each is an empty cell; hints and
solutions are in ``<details>``, which JupyterLab folds.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from nbformat import NotebookNode, v4

from coursebook.errors import BookError
from coursebook.pairs import Pair
from coursebook.stored import LANGUAGE, dumps
from coursebook.workbook_text import Inline, stored_notebook
from dropoutlab.grading import Exercise, exercise, stub, worked_solution

FOLDER = "workbooks"
YOURS = "# Your answer, in as many cells as you like"
WRITTEN = "*Your answer (double-click here):*"
FENCE = re.compile(r"^(`{3,}|:{3,})\{([\w-]+)\}\s*(.*)$")
# Blank lines that directives leave behind; two in a row belong to code, which has its own.
_BLANKS = re.compile(r"\n{4,}")
_OPTION = re.compile(r"^:[\w-]+:")


def workbook(pair: Pair) -> NotebookNode:
    """Turn an exercise page into its workbook.

    Args:
        pair: the page; its stored notebook is read.

    Returns:
        A notebook without outputs, the same for the same page.

    Raises:
        BookError: the page uses a directive or a role that a workbook cannot show.
    """
    writer = _Writer(pair.name, Inline(pair.root, pair.name))
    for cell in stored_notebook(pair).cells:
        if cell.cell_type == "code":
            writer.code(cell)
        else:
            writer.text(cell.source)
    book: NotebookNode = v4.new_notebook(cells=writer.finish())  # type: ignore[no-untyped-call]
    book.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    book.metadata["language_info"] = dict(LANGUAGE)
    for number, cell in enumerate(book.cells):
        cell["id"] = f"w{number:03}"
    return book


def write_missing(pairs: list[Pair], folder: Path) -> tuple[list[Path], list[Path]]:
    """Write the workbooks that are not there yet; what a reader has begun is never touched.

    Returns:
        The files that were written, and those that were kept.
    """
    written, kept = [], []
    folder.mkdir(parents=True, exist_ok=True)
    for pair in pairs:
        path = folder / f"{Path(pair.name).name}.ipynb"
        if path.exists():
            kept.append(path)
        else:
            path.write_text(dumps(workbook(pair)), encoding="utf-8")
            written.append(path)
    return written, kept


@dataclass
class _Writer:
    """Collects cells; ``_folded`` holds the parts of a solution until it ends."""

    page: str
    inline: Inline
    cells: list[NotebookNode] = field(default_factory=list)
    _loose: list[str] = field(default_factory=list)
    _folded: list[str] | None = None

    def text(self, source: str) -> None:
        lines = iter(source.splitlines())
        for line in lines:
            fence = FENCE.match(line)
            if fence:
                self._directive(fence, lines)
            else:
                self._put(line)

    def code(self, cell: NotebookNode) -> None:
        source = without_glue(cell.source)
        if self._folded is None:
            self._flush()
            self.cells.append(_code_cell(source))
            return
        self._folded += ["", "```python", *source.splitlines(), "```", ""]
        printed = _printed(cell)
        if printed:
            self._folded += ["```text", *printed.splitlines(), "```", ""]

    def finish(self) -> list[NotebookNode]:
        if self._folded is not None:
            raise BookError(f"{self.page}.md begins a solution that does not end")
        self._flush()
        return self.cells

    def _put(self, line: str) -> None:
        (self._loose if self._folded is None else self._folded).append(line)

    def _directive(self, fence: re.Match[str], lines: Iterator[str]) -> None:
        marks, name, argument = fence[1], fence[2], fence[3]
        content = [line for line in until(marks, lines, self.page) if not _OPTION.match(line)]
        if name == "exercise-start":
            self._put(f"**{argument}**")
        elif name == "exercise-end":
            on_paper = any("no code" in line for line in self._loose)
            self._flush()
            self.cells.append(_markdown_cell(WRITTEN) if on_paper else _code_cell(YOURS))
        elif name == "solution-start":
            self._flush()
            self._folded = []
        elif name == "solution-end":
            folded, self._folded = self._folded or [], None
            self._fold("Solution", folded)
            self._flush()
        elif name == "solution":
            self._fold("Solution", content)
        elif name == "admonition":
            self._fold(argument, content)
        elif name == "cards":
            self._put("The recall cards are on this page in the book, which schedules them for you.")
        elif name == "workbook":
            pass  # the reader has it open
        elif name == "graded":
            self._graded(exercise(argument))
        else:
            raise BookError(f"{self.page}.md uses {{{name}}}, which a workbook cannot show")

    def _fold(self, title: str, content: list[str]) -> None:
        text = "\n".join(content).strip("\n")
        for line in ["", "<details>", f"<summary>{title}</summary>", "", text, "", "</details>", ""]:
            self._put(line)

    def _graded(self, task: Exercise) -> None:
        unit = "minute" if task.minutes == 1 else "minutes"
        self._put(f"### {task.title}")
        self._put(f"\n{'★' * task.difficulty} · {task.minutes} {unit} · graded\n\n{task.task}\n")
        for number, hint in enumerate(task.hints, start=1):
            self._fold(f"Hint {number}", [hint])
        self._flush()
        self.cells.append(_code_cell(stub(task.name).strip("\n")))
        call = f'from dropoutlab.grading import check\n\ncheck("{task.name}", {task.name})'
        self.cells.append(_code_cell(call))
        solution = ["```python", worked_solution(task.name).strip("\n"), "```", "", task.why]
        self._fold("Solution", solution)
        self._flush()

    def _flush(self) -> None:
        text = self.inline.markdown("\n".join(self._loose)).strip("\n")
        self._loose = []
        if text:
            self.cells.append(_markdown_cell(_BLANKS.sub("\n\n", text)))


def _code_cell(source: str) -> NotebookNode:
    cell: NotebookNode = v4.new_code_cell(source)  # type: ignore[no-untyped-call]
    return cell


def _markdown_cell(source: str) -> NotebookNode:
    cell: NotebookNode = v4.new_markdown_cell(source)  # type: ignore[no-untyped-call]
    return cell


def until(marks: str, lines: Iterator[str], page: str) -> Iterator[str]:
    """The lines of a directive up to the fence that closes it."""
    for line in lines:
        if line.rstrip() == marks:
            return
        yield line
    raise BookError(f"{page}.md opens a directive with {marks} and does not close it in the same cell")


def _printed(cell: NotebookNode) -> str:
    """What a cell shows, as far as it is text."""
    parts = []
    for output in cell.outputs:
        if "scrapbook" in output.get("metadata", {}):
            continue
        text = output.get("text") or output.get("data", {}).get("text/plain", "")
        if not text.startswith("<Figure"):
            parts.append(text.rstrip("\n"))
    return "\n".join(parts)


def without_glue(source: str) -> str:
    r"""Leave out what only serves the book: the statements that hand values to its text.

    Example:
        >>> print(without_glue("from myst_nb import glue\nx = 1\nglue(\n    'x', x\n)\nx"))
        x = 1
        x
        >>> without_glue("%timeit 1 + 1")
        '%timeit 1 + 1'
    """
    lines, dropped = source.splitlines(), set[int]()
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source.strip("\n")  # not Python alone: a magic of IPython, say
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and _is_glue(node):
            dropped.update(range(node.lineno - 1, node.end_lineno or node.lineno))
    return "\n".join(line for number, line in enumerate(lines) if number not in dropped).strip("\n")


def _is_glue(node: ast.stmt) -> bool:
    """Whether a statement only serves the book: an import of glue, a call of it, a loop over calls."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "myst_nb"
    if isinstance(node, ast.For | ast.If):
        return all(map(_is_glue, [*node.body, *node.orelse]))
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "glue"
