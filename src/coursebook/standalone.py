"""Notebooks to take away: a chapter, or the workbook of its exercises, that runs outside the repository.

What the book stores is written for Sphinx: elsewhere its directives stay raw text, and its first cell fails,
because the package is not there. In the notebook to take away the text is plain Markdown with the values that
it inserts, the stored outputs are kept, and the first cells say what is needed and fetch it if it is missing.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from nbformat import NotebookNode, v4

from coursebook.errors import BookError
from coursebook.pairs import Pair
from coursebook.plain_text import Plain, figure, numbers
from coursebook.stored import LANGUAGE
from coursebook.workbook import FENCE, until, without_glue, workbook
from coursebook.workbook_text import stored_notebook

FOLDER = "dropout-measured"  # inside the archive
ARCHIVE = f"{FOLDER}.zip"
MARK = "pyproject.toml"  # beside it lie results/ and the package

_OPTION = re.compile(r"^:([\w-]+):\s*(.*)$")
_ADMONITIONS = {"admonition", "note", "warning", "tip", "important"}

_WORDS = """\
> **This notebook runs on its own.** It belongs to the course *Dropout, Measured*{where}. The next cell \
looks for the course's package and for its stored runs. What is missing it takes from `{archive}`, {source}.
>
> The package is installed with pip into the environment of this notebook, from the file in the archive. \
What it needs comes along; PyTorch is large. If you keep other things in this environment, make a new one.
>
> The outputs are those of the book. Run the cells to get them again.
"""
_BESIDE = "which the book offers beside this notebook: put it into the folder of this notebook"
_FETCHED = "which it finds beside this notebook or downloads from the book"

# Narrow enough for the screens on which notebooks are read.
_SETUP = """\
# Unpacks and installs the course's package, only if something is missing.
import importlib
import importlib.util
import os
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

BOOK = "{base}"
here = Path.cwd()
above = [here, *here.parents]
home = next(
    (
        place
        for place in [*above, here / "{folder}"]
        if (place / "{mark}").is_file() and (place / "results").is_dir()
    ),
    None,
)
if home is None:
    archive = here / "{archive}"
    if not archive.is_file() and not BOOK:
        raise FileNotFoundError(
            f"{{archive.name}} is missing: download it where you found "
            f"this notebook, and put it into {{here}}"
        )
    if not archive.is_file():
        urllib.request.urlretrieve(BOOK + archive.name, archive)
    with zipfile.ZipFile(archive) as files:
        files.extractall(here)
    home = here / "{folder}"
if home not in above:
    os.chdir(home)  # the stored runs are found from here
if importlib.util.find_spec("dropoutlab") is None:
    # By its file and never by its name: no index offers this package.
    wheel = next(home.glob("*.whl"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, str(wheel)], check=True)
    importlib.invalidate_caches()
print("ready")"""


def standalone_chapter(pair: Pair, base: str, verdict: Callable[[str], str]) -> NotebookNode:
    """Turn a chapter into a notebook to take away.

    Args:
        pair: the chapter; its stored notebook is read.
        base: address of the published book, with a slash at its end; empty where it has none.
        verdict: tells the verdict on a claim by its id.

    Returns:
        The notebook with its stored outputs, the same for the same page.

    Raises:
        BookError: the page uses a directive or a role that cannot be shown outside the book.
    """
    stored = stored_notebook(pair)
    first = Path(pair.name).name.partition("-")[0].lstrip("0") or "0"
    inline = Plain(pair.root, pair.name, base=base, labels=numbers(stored, first), verdict=verdict)
    cells: list[NotebookNode] = []
    for cell in stored.cells:
        if cell.cell_type == "markdown":
            text = "\n".join(_plain_lines(cell.source, pair.name)).strip("\n")
            cells.append(_markdown(inline.markdown(text)))
            continue
        source = without_glue(cell.source)
        if not source:
            continue
        cells.append(_code(source, cell))
        caption = figure(cell).get("caption")
        if caption:
            label = inline.labels[figure(cell).get("name", cell.id)]
            cells.append(_markdown(f"**{label}.** {inline.markdown(caption)}"))
    return _finished(cells, pair, base)


def standalone_workbook(pair: Pair, base: str) -> NotebookNode:
    """The workbook of an exercise page, with the cells that make it run elsewhere."""
    return _finished(workbook(pair).cells, pair, base)


def _finished(cells: list[NotebookNode], pair: Pair, base: str) -> NotebookNode:
    where = f", [of which this is a page]({base}{pair.name}.html)" if base else ""
    source = _FETCHED if base else _BESIDE
    words = _markdown(_WORDS.format(where=where, archive=ARCHIVE, source=source))
    setup = _code(_SETUP.format(base=base, folder=FOLDER, archive=ARCHIVE, mark=MARK))
    notebook: NotebookNode = v4.new_notebook(cells=[words, setup, *cells])  # type: ignore[no-untyped-call]
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata["language_info"] = dict(LANGUAGE)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"s{number:03}"
    return notebook


def _plain_lines(source: str, page: str) -> Iterator[str]:
    """The lines of a cell, with each directive replaced by what it says."""
    lines = iter(source.splitlines())
    for line in lines:
        fence = FENCE.match(line)
        if fence is None:
            yield line
            continue
        name, argument = fence[2], fence[3]
        content = list(until(fence[1], lines, page))
        while content and _OPTION.match(content[0]):
            content.pop(0)
        if name in _ADMONITIONS:
            yield f"> **{argument or name.capitalize()}**"
            yield ">"
            yield from (f"> {each}".rstrip() for each in content)
        elif name == "table":
            yield from [f"*{argument}*", "", *content]
        elif name == "claims":
            yield f"*The table of these claims ({argument}) is in the book; `dropoutlab claims` prints it.*"
        else:
            raise BookError(f"{page}.md uses {{{name}}}, which a notebook to take away cannot show")


def _markdown(source: str) -> NotebookNode:
    cell: NotebookNode = v4.new_markdown_cell(source)  # type: ignore[no-untyped-call]
    return cell


def _code(source: str, like: NotebookNode | None = None) -> NotebookNode:
    cell: NotebookNode = v4.new_code_cell(source)  # type: ignore[no-untyped-call]
    if like is not None:
        cell.outputs = [
            output for output in like.get("outputs", []) if "scrapbook" not in output.get("metadata", {})
        ]
        cell.execution_count = like.get("execution_count")
        if "hide-input" in like.metadata.get("tags", []):
            cell.metadata["jupyter"] = {"source_hidden": True}
        if "raises-exception" in like.metadata.get("tags", []):
            cell.metadata["tags"] = ["raises-exception"]
    return cell
