"""What links show before they are followed: their targets on other pages, written into the page itself.

A script shows the preview of a link beside it. What lies on the same page it copies from there; terms of the
glossary and claims, which lie on other pages, it could not fetch from a disk, so each page carries those that
it refers to.
"""

import json
import posixpath
import re
from collections.abc import Iterable
from html import unescape
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

from coursebook.search_texts import Unit, collected

SCRIPT = "previews.js"
LONGEST = 320  # characters; a preview is no page

_TARGET = re.compile(r'<a class="reference internal" href="([^"#]+\.html)#((?:term|claim)-[^"]+)"')


def add_script(_app: Sphinx, config: Config) -> None:
    """Load the script on every page."""
    config.html_js_files.append((SCRIPT, {"defer": "defer"}))


def previews(page: str, html: str, texts: dict[str, list[Unit]]) -> dict[str, tuple[str, str]]:
    """The terms and claims that a page refers to.

    Args:
        page: its name.
        html: the page.
        texts: title and text of every part of every page.

    Returns:
        Title and text by the address as it stands in the page.
    """
    found = {}
    for address, anchor in _TARGET.findall(html):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), address)).removesuffix(".html")
        unit = _unit(texts.get(target, ()), unescape(anchor))
        if unit is not None:
            found[f"{address}#{unescape(anchor)}"] = (unit[1], _short(unit[2]))
    return found


def _unit(units: Iterable[Unit], anchor: str) -> Unit | None:
    return next((unit for unit in units if unit[0] == anchor), None)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"


def write(app: Sphinx, exception: Exception | None) -> None:
    """Put the previews at the end of each page that has any."""
    if exception is not None or app.builder.name != "html":
        return
    texts = collected(app)
    for page in texts:
        path = Path(app.outdir) / f"{page}.html"
        html = path.read_text(encoding="utf-8")
        found = previews(page, html, texts)
        if found:
            content = json.dumps(found, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
            script = f'<script type="application/json" id="previews">{content}</script>\n'
            head, end, tail = html.rpartition("</body>")
            path.write_text(f"{head}{script}{end}{tail}", encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Connect the steps to the events of a build."""
    app.connect("config-inited", add_script)
    app.connect("build-finished", write)
