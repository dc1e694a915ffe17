"""Stubs and worked solutions as texts, both cut from the file that holds the solution."""

import ast
import inspect
import textwrap
from types import ModuleType

from dropoutlab.grading.exercise import Exercise, exercise

_OWN = "dropoutlab.grading"
WIDTH = 76  # columns of code on a page; the sources of the exercises keep to it as well


def stub(name: str) -> str:
    """Return what a learner starts from: imports, signature, docstring, and the task as an exception.

    Of a repair it is the broken function.

    Raises:
        ValueError: there is no exercise of this name.

    Example:
        >>> print(stub("variance_shift_ratio").splitlines()[0])
        def variance_shift_ratio(p: float, mean: float, variance: float) -> float:
    """
    known = exercise(name)
    source, tree = _parsed(known)
    function = _function(tree, name)
    documentation = function.body[0]
    head = _lines(source, function.lineno, documentation.end_lineno)
    if known.broken is None:
        body = _refusal(known.todo)
    else:
        broken = _function(tree, known.broken.__name__)
        body = _lines(source, (broken.body[0].end_lineno or 0) + 1, broken.end_lineno)
    text = f"{head}\n{body}".rstrip() + "\n"
    imports = _imports(source, tree, ast.parse(text))
    return f"{imports}\n\n\n{text}" if imports else text


def worked_solution(name: str) -> str:
    """Return the source of the reference solution with the imports it needs.

    Raises:
        ValueError: there is no exercise of this name.
    """
    known = exercise(name)
    source, tree = _parsed(known)
    text = _lines(source, (found := _function(tree, name)).lineno, found.end_lineno)
    imports = _imports(source, tree, ast.parse(text))
    return (f"{imports}\n\n\n{text}" if imports else text) + "\n"


def _refusal(todo: str) -> str:
    """The statement that says what is to be done, in lines that a page shows whole."""
    line = f'    raise NotImplementedError("{todo}")'
    if len(line) <= WIDTH:
        return line
    parts = textwrap.wrap(todo, WIDTH - len('        ""') - 1, drop_whitespace=False)
    return "\n".join(["    raise NotImplementedError(", *(f'        "{part}"' for part in parts), "    )"])


def _parsed(known: Exercise) -> tuple[str, ast.Module]:
    module = inspect.getmodule(known.solution)
    assert isinstance(module, ModuleType)
    source = inspect.getsource(module)
    return source, ast.parse(source)


def _function(tree: ast.Module, name: str) -> ast.FunctionDef:
    return next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)


def _lines(source: str, first: int, last: int | None) -> str:
    return "\n".join(source.splitlines()[first - 1 : last])


def _imports(source: str, tree: ast.Module, text: ast.Module) -> str:
    """Return the import statements whose names a text uses."""
    used = {node.id for node in ast.walk(text) if isinstance(node, ast.Name)}
    lines = []
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_OWN):
            continue
        names = {alias.asname or alias.name.split(".")[0] for alias in node.names}
        if names & used:
            lines.append(ast.get_source_segment(source, node) or "")
    return "\n".join(lines)
