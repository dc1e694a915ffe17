"""The link from an exercise page to its workbook, and the files that it leads to.

``{workbook}`` stands once on an exercise page and takes the name of the page::

    ```{workbook} 04-scaling
    ```
"""

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.logging import getLogger
from sphinx.util.osutil import relative_uri

from coursebook.card_nodes import html
from coursebook.errors import BookError
from coursebook.pairs import Pair
from coursebook.standalone import ARCHIVE, standalone_workbook
from coursebook.stored import dumps
from coursebook.workbook import FOLDER

logger = getLogger(__name__)
WORKBOOK = "workbook"


class Workbook(SphinxDirective):
    """Offer the page's exercises as a notebook to work in."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Check the name, note the page and link to the file that the end of the build writes."""
        stem, page = self.arguments[0], self.env.docname
        if Path(page).name != stem:
            raise self.error(f"the workbook of {page} is called {Path(page).name}, got {stem!r}")
        self.env.metadata[page][WORKBOOK] = stem
        target = f"{FOLDER}/{stem}.ipynb"
        link = html(
            "a",
            nodes.Text("workbook of this page"),
            attributes={"href": relative_uri(f"{page}.html", target), "download": ""},
        )
        words = (
            "Do these in Jupyter: the ",
            ", a notebook, has an empty cell below every task, and hints and solutions are folded away. ",
        )
        everything = html(
            "a",
            nodes.Text("the archive of all notebooks"),
            attributes={"href": relative_uri(f"{page}.html", ARCHIVE), "download": ""},
        )
        needs = (nodes.Text("It takes the course's package from "), everything, nodes.Text(". Or "))
        end = (nodes.literal("", "make lab"), nodes.Text(" puts all of them into the folder "))
        place = (nodes.literal("", f"{FOLDER}/"), nodes.Text(" and opens JupyterLab."))
        return [
            nodes.paragraph("", "", nodes.Text(words[0]), link, nodes.Text(words[1]), *needs, *end, *place)
        ]


def write_workbooks(app: Sphinx, exception: Exception | None) -> None:
    """Put the workbooks of the book's exercise pages where the pages look for them."""
    if exception is not None or app.builder.format != "html":
        return
    for page, data in app.env.metadata.items():
        if WORKBOOK in data:
            folder = Path(app.outdir) / FOLDER
            folder.mkdir(exist_ok=True)
            try:
                book = standalone_workbook(Pair(Path(app.srcdir), page), app.config.html_baseurl or "")
            except (BookError, ValueError) as error:
                logger.warning("%s", error, type="workbook")
                continue
            (folder / f"{data[WORKBOOK]}.ipynb").write_text(dumps(book), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Register the directive and the step at the end of a build."""
    app.add_directive("workbook", Workbook)
    app.connect("build-finished", write_workbooks)
