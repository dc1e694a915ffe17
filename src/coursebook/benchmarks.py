r"""Numbers of the last benchmark run, inserted while the page that shows them is built.

``{bench}`` inserts one of them with its unit: a result by its key, the seconds behind it, a fitted law, or
a fact about the machine::

    Dropout adds {bench}`dropout_step_overhead` to a step; a step alone takes
    {bench}`dropout_step_overhead.limit`, and time grows as K to the power
    {bench}`growth.fit_many_replicas`, on {bench}`machine.cores` cores.

``{bench-table}`` shows all ``results``, or how cost ``growth``\ s::

    ```{bench-table} results
    ```
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from coursebook.errors import BookError

PLACE = Path("benchmarks") / "latest.json"

_SCALES = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))
_PARTS = ("ours", "peer", "limit")
_SIGNS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "<=": ("at most", lambda value, bound: value <= bound),
    ">=": ("at least", lambda value, bound: value >= bound),
}
_NO_BREAK, _MINUS = "\u00a0", "\N{MINUS SIGN}"

Run = Mapping[str, Any]


def read_run(root: Path) -> Run:
    """Read the stored run of a repository.

    Raises:
        BookError: there is none, or it is damaged.
    """
    path = root / PLACE
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        missing = {"date", "measured", "targets", "machine", "growth", "detail"} - set(run)
    except (OSError, ValueError, TypeError) as error:
        raise BookError(f"{path} cannot be read: {error}; make bench writes it") from error
    if missing:
        raise BookError(f"{path} lacks {', '.join(sorted(missing))}; make bench writes it anew")
    return dict(run)


def shown(value: float, unit: str) -> str:
    r"""Give a number two significant digits and its unit.

    Example:
        >>> shown(0.0826, "share"), shown(7.31, "times"), shown(1.234e-3, "seconds")
        ('8.3\xa0%', '7.3×', '1.2\xa0ms')
    """
    if unit == "share":
        return f"{_significant(100 * value)}{_NO_BREAK}%"
    if unit == "times":
        return f"{_significant(value)}×"
    if unit == "megabytes":
        return f"{_significant(value)}{_NO_BREAK}MB"
    if unit == "seconds":
        name, scale = next(((name, scale) for name, scale in _SCALES if abs(value) >= scale), _SCALES[-1])
        return f"{_significant(value / scale)}{_NO_BREAK}{name}"
    if unit == "count":
        return f"{float(f'{value:.2g}'):,.0f}"
    return _significant(value, digits=3)


def is_met(value: float, target: Sequence[Any]) -> bool:
    """Tell whether a result lies where it should; ``target`` is such as ``["<=", 0.15]``."""
    sign, bound = target
    return _SIGNS[sign][1](value, bound)


def look_up(run: Run, name: str) -> str:
    """Find what ``{bench}`` inserts for a name.

    Raises:
        BookError: the run holds nothing of that name; lists what it holds.
    """
    key, _, part = name.partition(".")
    if key == "date" and not part:
        return str(run["date"])
    if key == "machine" and part in run["machine"]:
        return str(run["machine"][part])
    if key == "growth" and part in run["growth"]:
        return _law(run["growth"][part])
    if key in run["measured"]:
        detail = run["detail"][key]
        if not part:
            return shown(run["measured"][key], detail["unit"])
        if part in _PARTS and part in detail:
            return shown(detail[part], "seconds")
        if part == "target" and key in run["targets"]:
            return _bound(run["targets"][key], detail["unit"])
    known = ["date", *(f"machine.{each}" for each in run["machine"]), *run["measured"]]
    known += [f"growth.{each}" for each in run["growth"]]
    raise BookError(
        f"the benchmarks hold no {name!r}; they hold {', '.join(known)}, and of each result .ours, .peer, "
        ".limit and .target where there is one"
    )


def result_rows(run: Run) -> Iterator[tuple[str, ...]]:
    """Yield the header and the rows of the table of results."""
    yield "what was measured", "result", "target", "ours", "compared with", "limit"
    for key, value in run["measured"].items():
        detail = run["detail"][key]
        result = shown(value, detail["unit"])
        target = run["targets"].get(key)
        verdict = f"{_bound(target, detail['unit'])}: {_verdict(value, target)}" if target else ""
        yield detail["what"], result, verdict, *(_time(detail, part) for part in _PARTS)


def growth_rows(run: Run) -> Iterator[tuple[str, ...]]:
    """Yield the header and the rows of the table of growth."""
    yield "what grows", "sizes", "times", "time grows as"
    for curve in run["growth"].values():
        sizes = ", ".join(str(size) for size in curve["sizes"])
        times = ", ".join(shown(each, "seconds") for each in curve["seconds"])
        law = f"size to the power {_law(curve)}"
        if "factor" in curve:
            law = f"times {_law(curve)} for each unit more"
        yield curve["what"], sizes, times, law


_TABLES = {"results": result_rows, "growth": growth_rows}


class Bench(SphinxRole):
    """One number of the last run."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """The number, or an error that names what there is."""
        try:
            return [nodes.Text(look_up(_noted(self.env), self.text))], []
        except BookError as error:
            return [], [self.inliner.reporter.error(str(error), line=self.lineno)]


class BenchTable(SphinxDirective):
    """A table of the last run: its ``results``, or its ``growth``."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {}

    def run(self) -> list[nodes.Node]:
        """Build the table from the stored run."""
        name = self.arguments[0]
        if name not in _TABLES:
            raise self.error(f"bench-table shows one of {', '.join(_TABLES)}, got {name!r}")
        try:
            header, *rows = _TABLES[name](_noted(self.env))
        except BookError as error:
            raise self.error(str(error)) from error
        group = nodes.tgroup("", cols=len(header))
        group += [nodes.colspec(colwidth=1) for _ in header]
        group += nodes.thead("", self._row(header))
        group += nodes.tbody("", *(self._row(row) for row in rows))
        table = nodes.table("", group, classes=["colwidths-auto", "bench-table"])
        self.set_source_info(table)
        return [table]

    def _row(self, cells: Sequence[str]) -> nodes.row:
        return nodes.row("", *(nodes.entry("", *self._cell(text)) for text in cells))

    def _cell(self, text: str) -> list[nodes.Node]:
        if not text:
            return []
        parsed, messages = self.parse_inline(text)
        return [nodes.paragraph("", "", *parsed, *messages)]


def _noted(env: Any) -> Run:
    """The stored run; a page that shows it is built again when it changes."""
    root = Path(env.srcdir)
    env.note_dependency(str(root / PLACE))
    return read_run(root)


def _bound(target: Sequence[Any], unit: str) -> str:
    sign, bound = target
    return f"{_SIGNS[sign][0]} {shown(bound, unit)}"


def _verdict(value: float, target: Sequence[Any]) -> str:
    return "met" if is_met(value, target) else "missed"


def _time(detail: Mapping[str, Any], part: str) -> str:
    """The seconds of one part and, in brackets, what it is; empty where it was not measured."""
    if part not in detail:
        return ""
    name = detail.get(f"{part}_is")
    return shown(detail[part], "seconds") + (f" ({name})" if name else "")


def _law(curve: Mapping[str, Any]) -> str:
    """The exponent of a power law, or what each unit more multiplies the time by."""
    return f"{curve['exponent' if 'exponent' in curve else 'factor']:.2f}".replace("-", _MINUS)


def _significant(value: float, digits: int = 2) -> str:
    """Round to so many digits, without an exponent: 0.0826 is 0.083 and 1234 is 1,234."""
    size = math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{max(0, digits - 1 - size)}f}".replace("-", _MINUS)


def setup(app: Sphinx) -> None:
    """Register the role and the directive."""
    app.add_role("bench", Bench())
    app.add_directive("bench-table", BenchTable)
