"""Which files of the lab a notebook's code can reach: what it imports, and what that imports."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbformat import NotebookNode

LAB = Path("src") / "dropoutlab"

# IPython's own lines (%timeit, !pip) are no Python.
_QUOTED = re.compile(r"\"([\w-]+)\"|'([\w-]+)'")
_MAGIC = re.compile(r"^\s*[%!].*$", re.MULTILINE)


def reached_files(notebook: NotebookNode, root: Path) -> list[Path]:
    """List the lab's files that a notebook's outputs can depend on.

    Modules are found by their import statements, wherever they stand in a file. A package counts with its
    data files. A cell or module that cannot be parsed could import anything: then every file counts.

    Args:
        notebook: the notebook.
        root: the repository's root folder.

    Returns:
        Files below ``src/dropoutlab``, in alphabetical order.
    """
    lab = root / LAB
    try:
        queue = list(_modules(_imported(_MAGIC.sub("", _code(notebook)), "", package=False), lab))
        found: set[Path] = set()
        while queue:
            file = queue.pop()
            if file in found:
                continue
            found.add(file)
            if file.suffix != ".py":
                continue
            inside = file.parent if file.name == "__init__.py" else file.with_suffix("")
            name = ".".join(("dropoutlab", *inside.relative_to(lab).parts))
            text = file.read_text(encoding="utf-8")
            queue += _modules(_imported(text, name, package=file.name == "__init__.py"), lab)
            if file.name == "__init__.py":
                queue += (data for data in file.parent.iterdir() if _is_data(data))
    except (SyntaxError, ValueError):
        return sorted(file for file in lab.rglob("*") if file.suffix == ".py" or _is_data(file))
    return sorted(found)


def read_results(notebook: NotebookNode, files: Iterable[Path], root: Path) -> list[Path]:
    """List the folders of stored runs that a notebook's outputs can depend on.

    Args:
        notebook: the notebook.
        files: what it reaches, from `reached_files`.
        root: the repository's root folder.

    Returns:
        Nothing where the code that reads runs is out of reach. Else the studies that cells name in quotes,
        or all of them where they name none, or judge all claims.
    """
    reached = {file.as_posix().rpartition("/dropoutlab/")[2] for file in files}
    if "studies/places.py" not in reached:
        return []
    folders = sorted(folder for folder in (root / "results").glob("*") if folder.is_dir())
    named = {name for pair in _QUOTED.findall(_code(notebook)) for name in pair}
    chosen = [folder for folder in folders if folder.name in named]
    return folders if "claims.py" in reached or not chosen else chosen


def _code(notebook: NotebookNode) -> str:
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")


def _imported(text: str, module: str, *, package: bool) -> set[str]:
    """Return the dotted names that a text imports, relative ones resolved against its module."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")
            base = above[: len(above) - node.level + package] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            names.update({source, *(f"{source}.{alias.name}" for alias in node.names)})
    return names


def _modules(names: Iterable[str], lab: Path) -> Iterator[Path]:
    """Yield the files of the lab's modules among the names, with the packages that they lie in."""
    for name in names:
        first, *parts = name.split(".")
        if first != "dropoutlab":
            continue
        for end in range(len(parts) + 1):
            place = lab.joinpath(*parts[:end])
            if (place / "__init__.py").is_file():
                yield place / "__init__.py"
            elif end and place.with_suffix(".py").is_file():
                yield place.with_suffix(".py")


def _is_data(file: Path) -> bool:
    return file.is_file() and file.suffix in (".toml", ".csv", ".json", ".txt")
