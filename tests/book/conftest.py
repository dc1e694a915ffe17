"""A sample book that shows every kind of thing a page may hold, built once for all tests."""

import base64
import io
import os
import re
import shutil
import warnings
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jupytext
import nbformat
import pytest
from filelock import FileLock
from jupyter_book.sphinx import build_sphinx
from matplotlib.figure import Figure
from nbformat import NotebookNode
from nbformat.v4 import new_output

from coursebook import evidence
from dropoutlab import claims
from dropoutlab.studies.reading import judge
from tests.book import evidence_sample, pages_table

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_ANSI = re.compile(r"\x1b\[[0-9;]*m")

REPOSITORY = Path(__file__).parents[2]
SAMPLE = Path(__file__).parent / "sample"
WIDTH, HEIGHT = 600, 300

TABLE = """<div><style scoped>.dataframe tbody tr th {vertical-align: top;}</style>
<table border="1" class="dataframe"><thead><tr style="text-align: right;"><th></th>
<th>error in %, mean [95 % t-interval over 20 seeds]</th><th>cross-entropy</th></tr></thead>
<tbody><tr><th>no dropout</th><td>5.4 [5.1, 5.7]</td><td>0.202</td></tr>
<tr><th>dropout</th><td>5.2 [4.9, 5.5]</td><td>0.191</td></tr></tbody></table></div>"""

LINE = "a line of output that is much wider than the screen of any phone, and so must scroll within itself\n"

TRACEBACK = [
    "\x1b[31mValueError\x1b[39m                                Traceback (most recent call last)",
    "\x1b[31mValueError\x1b[39m: drop probability must lie in [0, 1], got 1.3",
]


def picture() -> str:
    """A bar chart with a transparent ground, at twice its logical size."""
    grey, blue = "#757575", "#2375d5"
    figure = Figure(figsize=(WIDTH / 96, HEIGHT / 96), facecolor="none", layout="constrained")
    axes = figure.add_subplot(facecolor="none")
    axes.bar(range(10), [0, 0, 0.001, 0.009, 0.037, 0.103, 0.2, 0.267, 0.234, 0.121], color=blue)
    axes.set_xlabel("heads", color=grey)
    axes.set_ylabel("probability", color=grey)
    axes.tick_params(colors=grey)
    axes.spines[:].set_color(grey)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=2 * 96)
    return base64.b64encode(buffer.getvalue()).decode()


def result(data: dict[str, str], **metadata: Any) -> NotebookNode:
    return new_output("execute_result", data=data, metadata=metadata, execution_count=1)


def stored_outputs() -> dict[str, list[list[NotebookNode]]]:
    """For each page with code, the outputs of its cells, as a kernel would have given them."""
    prefix = "application/papermill.record/"
    glue = new_output(
        "display_data",
        data={f"{prefix}text/plain": "7"},
        metadata={"scrapbook": {"mime_prefix": prefix, "name": "mode"}},
    )
    size = {"image/png": {"width": WIDTH, "height": HEIGHT}}
    return {
        "chapters/01-coins": [
            [result({"image/png": picture(), "text/plain": "<figure 600×300>"}, **size)],
            [glue, new_output("stream", name="stdout", text=LINE), result({"text/html": TABLE})],
            [result({"text/plain": "2"})],
            [new_output("error", ename="ValueError", evalue="p", traceback=TRACEBACK)],
        ],
        "exercises/01-coins": [[result({"text/plain": "2"})]],
    }


@dataclass(frozen=True)
class SampleBook:
    """A copy of the sample with the repository's own ``_config.yml``."""

    root: Path

    @property
    def html(self) -> Path:
        return self.root / "_build" / "html"

    def page(self, name: str) -> str:
        return (self.html / f"{name}.html").read_text(encoding="utf-8")

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that must be there; a page with code gets its notebook again."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        self.store(name.removesuffix(".md"))

    def store(self, name: str) -> None:
        """Write the notebook beside a source, with the stored outputs."""
        if name not in stored_outputs():
            return
        notebook = jupytext.read(self.root / f"{name}.md")
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for cell, outputs in zip(cells, stored_outputs()[name], strict=True):
            cell.outputs = outputs
            cell.execution_count = 1
        nbformat.write(notebook, self.root / f"{name}.ipynb")

    def build(self, builder: str = "html") -> str:
        """Build in this process, so that coverage sees it; return what Sphinx wrote to its error stream."""
        errors = io.StringIO()
        silence = warnings.catch_warnings()
        quiet = redirect_stdout(io.StringIO())
        with silence, quiet, redirect_stderr(errors), pytest.MonkeyPatch.context() as patch:
            warnings.simplefilter("ignore")  # deprecations inside Sphinx's own dependencies
            pretend(patch)
            status = build_sphinx(
                self.root,
                self.root / "_build" / builder,
                noconfig=True,
                path_config=self.root / "_config.yml",
                builder=builder,
                confoverrides={
                    "external_toc_path": str(self.root / "_toc.yml"),
                    "latex_individualpages": False,
                    "nitpicky": True,
                },
            )
        assert status == 0, f"{status!r}\n{errors.getvalue()}"
        return _ANSI.sub("", errors.getvalue())


def make_sample(root: Path) -> SampleBook:
    """Put the sample into a new folder."""
    shutil.copytree(SAMPLE, root)
    shutil.copy(REPOSITORY / "_config.yml", root)
    results = root / "results" / "toy"  # offered for download on the study's page
    results.mkdir(parents=True)
    (results / "runs.csv").write_text("arm,seed\n")
    (results / "manifest.json").write_text("{}\n")
    site = "src/coursebook/static/site"
    shutil.copytree(REPOSITORY / site, root / site)
    book = SampleBook(root)
    for name in stored_outputs():
        book.store(name)
    return book


def pretend(patch: pytest.MonkeyPatch) -> None:
    """Give the build a small catalogue and one study, instead of those of the repository."""
    study = evidence_sample.STUDY
    outcomes = judge(study, evidence_sample.ROWS)
    patch.setattr(evidence, "entries", lambda: evidence_sample.ENTRIES)
    patch.setattr(claims, "entries", lambda: evidence_sample.ENTRIES)
    for module in (evidence, claims):
        patch.setattr(module, "find", lambda name: evidence_sample.find(name))
        patch.setattr(module, "load_rows", lambda *_: evidence_sample.ROWS)
        patch.setattr(module, "judge", lambda *_: outcomes)
    patch.setattr(evidence, "read_manifest", lambda _: evidence_sample.MANIFEST)
    evidence.judged.cache_clear()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was found on the pages of the book, if this run looked at them."""
    if rows := pages_table.collect(pages_table.STARTED):
        terminalreporter.section("the pages of the book")
        for line in pages_table.summary(rows):
            terminalreporter.write_line(line)
        terminalreporter.write_line(f"Each page has its line in {pages_table.TABLE.relative_to(REPOSITORY)}.")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleBook:
    """The sample book, built without a single warning on a machine that has no Node of its own.

    Where several processes share the tests, the first that needs the book builds it for all.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # each process has a folder of its own in that of the run
    root, built = folder / "sample" / "book", folder / "sample" / "built"
    (folder / "sample").mkdir(exist_ok=True)
    with FileLock(folder / "sample" / "lock"):
        if not built.exists():
            shutil.rmtree(root, ignore_errors=True)  # another process may have failed half-way
            book = make_sample(root)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("PATH", "")
                assert book.build() == ""
            built.touch()
    return SampleBook(root)


# A module, not the session: as long as Playwright runs, no other test of the same process may use asyncio.
@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A browser for the tests of a module, which are skipped where there is none."""
    from tests.book import browser as browsers  # needs Playwright, which other tests of the book do not

    with browsers.started() as browser:
        yield browser


@pytest.fixture(scope="module")
def addresses(sample: SampleBook) -> Iterator[dict[str, str]]:
    """Where a browser finds the sample book: on the disk, and on a server."""
    from tests.book import browser as browsers

    with browsers.served(sample.html) as server:
        yield {"file": sample.html.as_uri(), "http": server}


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> SampleBook:
    """A copy of the sample that the tests of one module may change; it is not built."""
    return make_sample(tmp_path_factory.mktemp("draft") / "a book")  # a path with a space, as readers have
