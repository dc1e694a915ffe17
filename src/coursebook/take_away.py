"""The archive of all that runs outside the repository: notebooks, stored runs, and the package as a wheel.

The wheel is written here, because pip's build would fetch tools, and no index holds this package.
"""

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.logging import getLogger

import coursebook
import dropoutlab
from coursebook.errors import BookError
from coursebook.evidence import judged, verdict_word
from coursebook.pairs import Pair
from coursebook.standalone import ARCHIVE, FOLDER, MARK, standalone_chapter, standalone_workbook
from coursebook.stored import dumps
from coursebook.workbook_pages import WORKBOOK

logger = getLogger(__name__)

_PACKAGE = "dropout-measured"
_DATE = (1980, 1, 1, 0, 0, 0)  # the same archive for the same content
_SUFFIXES = {".py", ".toml", ".json", ".typed"}
_README = """\
# Dropout, Measured: the notebooks

`chapters/` holds the chapters with their outputs, `exercises/` a workbook for each, `results/` the stored
runs that they read, and the `.whl` file the course's package.

You need Python {python} and Jupyter:

    python -m pip install jupyterlab
    python -m jupyterlab chapters

The first cell of each notebook installs the package from the `.whl` file if it is missing, and with it what
it needs, of which PyTorch is large. No data are downloaded.

Code is under the MIT licence, text under CC BY 4.0.
"""
_MARK_TEXT = "# Marks the folder whose results/ the notebooks read. There is nothing to build here.\n"


def wheel_name() -> str:
    """The name of the wheel's file.

    Example:
        >>> wheel_name().startswith("dropout_measured-")
        True
    """
    return f"{_stem()}-py3-none-any.whl"


def _stem() -> str:
    return f"{_PACKAGE.replace('-', '_')}-{metadata(_PACKAGE)['Version']}"


def wheel() -> bytes:
    """Write the lab, and of the book's machinery the Python code, as a wheel.

    Source: Python packaging specifications, binary distribution format.
    """
    known = metadata(_PACKAGE)
    files = dict(_package_files())
    needed = [need for need in known.get_all("Requires-Dist") or [] if "extra ==" not in need]
    fields = ["Metadata-Version: 2.1", f"Name: {known['Name']}", f"Version: {known['Version']}"]
    fields += [f"Summary: {known['Summary']}", f"Requires-Python: {known['Requires-Python']}"]
    fields += [f"Requires-Dist: {need}" for need in needed]
    info = f"{_stem()}.dist-info"
    files[f"{info}/METADATA"] = "\n".join([*fields, ""]).encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: coursebook\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{info}/entry_points.txt"] = b"[console_scripts]\ndropoutlab = dropoutlab.cli:app\n"
    lines = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""]).encode()
    return _zipped(files)


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")


def _package_files() -> Iterator[tuple[str, bytes]]:
    for package in (coursebook, dropoutlab):
        folder = Path(str(package.__file__)).parent
        for path in sorted(folder.rglob("*")):
            hidden = any(part.startswith((".", "_build")) for part in path.relative_to(folder).parts)
            if (
                path.is_file()
                and path.suffix in _SUFFIXES
                and not hidden
                and "node_modules" not in path.parts
            ):
                yield f"{folder.name}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def archive(notebooks: dict[str, str], results: Path, title: str) -> bytes:
    """Pack the archive.

    Args:
        notebooks: the text of each, by its name without a suffix.
        results: the folder of the stored runs.
        title: of the book.
    """
    files = {f"{FOLDER}/{name}.ipynb": text.encode() for name, text in notebooks.items()}
    for path in sorted(results.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            files[f"{FOLDER}/results/{path.relative_to(results).as_posix()}"] = path.read_bytes()
    files[f"{FOLDER}/README.md"] = _README.format(python=metadata(_PACKAGE)["Requires-Python"]).encode()
    files[f"{FOLDER}/{MARK}"] = _MARK_TEXT.encode()
    files[f"{FOLDER}/_config.yml"] = f'{_MARK_TEXT}title: "{title}"\n'.encode()
    files[f"{FOLDER}/{wheel_name()}"] = wheel()
    return _zipped(files)


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name in files:
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = 0o644 << 16
            target.writestr(entry, files[name], zipfile.ZIP_DEFLATED, 9)
    return buffer.getvalue()


def offer(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None
) -> None:
    """Put the archive among the downloads of every page that is a notebook."""
    for group in context.get("header_buttons", []):
        if group.get("label") == "download-buttons" and page in _notebooks(app):
            button = {
                "type": "link",
                "url": f"{context['pathto'](ARCHIVE, 1)}",
                "text": "all, with the package (.zip)",
                "icon": "fas fa-box-archive",
                "tooltip": "Download all notebooks, the stored runs and the package",
                "label": "download-archive-button",
            }
            group["buttons"].insert(1, button)


def _notebooks(app: Sphinx) -> list[str]:
    """The pages to take away: chapters that are stored as notebooks, and exercises that have a workbook."""
    chapters = (page for page in app.env.found_docs if page.startswith("chapters/"))
    stored = {page for page in chapters if str(app.env.doc2path(page)).endswith(".ipynb")}
    return sorted(stored | {page for page, data in app.env.metadata.items() if WORKBOOK in data})


def write(app: Sphinx, exception: Exception | None) -> None:
    """Replace the downloads of the built pages by notebooks that run anywhere, and pack the archive."""
    if exception is not None or app.builder.name != "html":
        return
    root, base = Path(app.srcdir), app.config.html_baseurl or ""
    try:
        texts = {page: dumps(notebook) for page, notebook in _written(root, _notebooks(app), base)}
    except (BookError, ValueError) as error:
        logger.warning("%s", error, type="take-away")
        return
    folder = Path(app.outdir)
    for page, text in texts.items():
        target = folder / "_sources" / f"{page}.ipynb"
        if target.parent.is_dir():
            target.write_text(text, encoding="utf-8")
    (folder / ARCHIVE).write_bytes(
        archive(texts, root / "results", app.config.html_title or app.config.project)
    )


def _written(root: Path, pages: Iterable[str], base: str) -> Iterator[tuple[str, Any]]:
    def verdict(claim: str) -> str:
        return verdict_word(judged(root / "results")[claim])

    for page in pages:
        pair = Pair(root, page)
        exercises = page.startswith("exercises/")
        yield page, standalone_workbook(pair, base) if exercises else standalone_chapter(pair, base, verdict)


def setup(app: Sphinx) -> None:
    """Connect the steps to the events of a build."""
    app.connect("html-page-context", offer, priority=900)  # after the theme's own buttons
    app.connect("build-finished", write)
