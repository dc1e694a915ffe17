"""Put the sample book into a folder, with outputs as the kernel would have stored them."""

import base64
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
import nbformat
from matplotlib.figure import Figure
from nbformat.v4 import new_output

REPOSITORY = Path(__file__).parents[2]
SAMPLE = Path(__file__).parent / "sample"
WIDTH, HEIGHT = 600, 300

TABLE = """<div><style scoped>.dataframe tbody tr th {vertical-align: top;}</style>
<table border="1" class="dataframe"><thead><tr style="text-align: right;"><th></th>
<th>error in %, mean [95 % t-interval over 20 seeds]</th><th>cross-entropy</th></tr></thead>
<tbody><tr><th>no dropout</th><td>5.4 [5.1, 5.7]</td><td>0.202</td></tr>
<tr><th>dropout</th><td>5.2 [4.9, 5.5]</td><td>0.191</td></tr></tbody></table></div>"""

TRACEBACK = [
    "\x1b[31m---------------------------------------------------------------------------\x1b[39m",
    "\x1b[31mValueError\x1b[39m                                Traceback (most recent call last)",
    "\x1b[31mValueError\x1b[39m: drop probability must lie in [0, 1], got 1.3",
]


def picture() -> str:
    """A bar chart with a transparent ground, at twice its logical size."""
    grey, blue = "#757575", "#2375d5"
    figure = Figure(figsize=(WIDTH / 96, HEIGHT / 96), facecolor="none")
    axes = figure.add_subplot(facecolor="none")
    axes.bar(range(10), [0, 0, 0.001, 0.009, 0.037, 0.103, 0.2, 0.267, 0.234, 0.121], color=blue)
    axes.set_xlabel("heads", color=grey)
    axes.set_ylabel("probability", color=grey)
    axes.tick_params(colors=grey)
    axes.spines[:].set_color(grey)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=2 * 96, facecolor="none")
    return base64.b64encode(buffer.getvalue()).decode()


def result(data: dict[str, str], **metadata: Any) -> nbformat.NotebookNode:
    return new_output("execute_result", data=data, metadata=metadata, execution_count=1)


def outputs() -> dict[str, Iterator[list[nbformat.NotebookNode]]]:
    """For each page with code, the outputs of its cells."""
    glued = {"scrapbook": {"mime_prefix": "application/papermill.record/", "name": "mode"}}
    line = "a line of output that is much wider than the screen of any phone, and so must scroll within itself\n"
    size = {"image/png": {"width": WIDTH, "height": HEIGHT}}
    chapter = [
        [result({"image/png": picture(), "text/plain": "<figure 600×300>"}, **size)],
        [
            new_output(
                "display_data", data={"application/papermill.record/text/plain": "7"}, metadata=glued
            ),
            new_output("stream", name="stdout", text=line),
            result({"text/html": TABLE, "text/plain": "a table"}),
        ],
        [result({"text/plain": "2"})],
        [new_output("error", ename="ValueError", evalue="p", traceback=TRACEBACK)],
    ]
    return {"chapters/01-coins": iter(chapter), "exercises/01-coins": iter([[result({"text/plain": "2"})]])}


def make_sample(root: Path, config: Path = REPOSITORY / "_config.yml") -> Path:
    """Copy the sample to a new folder, with the repository's own configuration and stored outputs."""
    shutil.copytree(SAMPLE, root)
    shutil.copy(config, root / "_config.yml")
    logo = Path("src/coursebook/static/site")
    shutil.copytree(REPOSITORY / logo, root / logo)
    for name, stored in outputs().items():
        notebook = jupytext.read(root / f"{name}.md")
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for cell, produced in zip(cells, stored, strict=True):
            cell.outputs = produced
            cell.execution_count = 1
        nbformat.write(notebook, root / f"{name}.ipynb")
    return root
