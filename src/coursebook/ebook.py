"""The book as an EPUB: ``-b epub``, without scripts, with formulas as MathML, which readers of EPUB 3 show.

Sphinx's builder writes what the HTML book has; three things would not pass as EPUB 3. Pages must be
well-formed XML, which outputs of notebooks need not be; the list of files must say which pages hold MathML or
SVG; and files that no page asks for must not be in it.
"""

import re
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.epub3 import Epub3Builder
from sphinx.config import Config

from coursebook.accessible import repair_roles
from coursebook.assets import PAPER
from coursebook.cover import draw_cover
from coursebook.paper_tables import split_tables
from coursebook.single_page import is_left_out
from coursebook.still import make_still

NAME = "dropout-measured"
WIDEST = 5  # columns of numbers with their intervals that a small screen has room for
STYLE, COVER = "epub.css", "cover.png"
_ITEM = re.compile(r'<item id="([^"]+)" href="([^"]+)" media-type="([^"]+)" />')
# Attributes of HTML 4, which outputs of pandas still carry, and of the theme's script.
_OBSOLETE = ("border", "align", "halign", "valign", "scoped", "data-toggle")


class EBookBuilder(Epub3Builder):
    """Writes ``dropout-measured.epub``."""

    def init(self) -> None:
        """Say which version it is."""
        self.config.version = self.config.version or version("dropout-measured")
        super().init()

    def init_css_files(self) -> None:
        """Load the one style of the e-book, and the colours of code."""
        self._css_files = []
        for name in ("pygments.css", STYLE):
            super().add_css_file(name)

    def add_css_file(self, filename: str, **kwargs: Any) -> None:
        """Leave out styles that extensions add for the screen."""

    def init_js_files(self) -> None:
        """Load no script."""
        self._js_files = []

    def add_js_file(self, filename: str, **kwargs: Any) -> None:
        """Leave out scripts that extensions add."""

    def copy_static_files(self) -> None:
        """Copy only what the pages use."""
        static = Path(self.outdir, "_static")
        static.mkdir(exist_ok=True)
        self.create_pygments_style_file()
        shutil.copy(PAPER / STYLE, static)
        draw_cover(self.config.epub_title, self.config.epub_author, static / COVER)

    def copy_extra_files(self) -> None:
        """Leave out what belongs to the site."""

    def write(self, *_which: Any) -> None:
        """Write the pages that are not left out, whatever changed."""
        super().write([name for name in self.env.all_docs if not self._without(name)], [], "specific")

    def get_refnodes(self, doctree: nodes.Node, result: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """List the pages in the order of the table of contents, without those left out."""
        found = super().get_refnodes(doctree, result)
        return [node for node in found if not self._without(node["refuri"].partition(".xhtml")[0])]

    def _without(self, docname: str) -> bool:
        return is_left_out(self.config, docname)

    def write_doc(self, docname: str, doctree: nodes.document) -> None:
        """Write a page on which nothing can be pressed and no link leads to what is not there."""
        make_still(doctree)
        split_tables(doctree, WIDEST)
        super().write_doc(docname, doctree)

    def handle_page(
        self,
        pagename: str,
        addctx: dict[str, Any],
        templatename: str = "page.html",
        outfilename: str | None = None,
        event_arg: Any = None,
    ) -> None:
        """Write a page as well-formed XML."""
        # Not the index, nor the page for addresses that do not exist: they belong to the site.
        if pagename in self.env.all_docs or f"{pagename}.xhtml" == self.coverpage_name:
            super().handle_page(pagename, addctx, templatename, outfilename, event_arg)
            path = Path(self.outdir, f"{pagename}.xhtml")
            path.write_text(self._well_formed(pagename, path.read_text(encoding="utf-8")), encoding="utf-8")

    def _well_formed(self, pagename: str, text: str) -> str:
        context = {"body": text}
        repair_roles(self.app, pagename, "", context, None)
        page = BeautifulSoup(context["body"], "html.parser")
        for part in page.select("script, body style, .headerlink"):
            part.decompose()
        for words in page.select("summary > .collapsed"):
            assert words.parent is not None
            words.parent.string = words.get_text()  # a paragraph may not stand there
        for drawing in page.select("svg"):  # HTML knows its namespace, and forgives the case of attributes
            drawing["xmlns"] = "http://www.w3.org/2000/svg"
            if "viewbox" in drawing.attrs:
                drawing["viewBox"] = drawing.attrs.pop("viewbox")
        for element in page.find_all(True):
            for name in _OBSOLETE:
                if name in element.attrs:
                    del element[name]
            if element.get("style") and element.name in {"tr", "th", "td"}:
                del element["style"]
        for link in page.select("a[href]"):
            target = str(link["href"])
            if "://" not in target and not self._is_inside(pagename, target.partition("#")[0]):
                link.unwrap()
        return str(page)

    def _is_inside(self, pagename: str, target: str) -> bool:
        """Tell whether a link leads to a page of the e-book."""
        if not target:
            return True
        folder = Path(self.outdir).resolve()
        path = (folder / pagename).parent.joinpath(target).resolve()
        if path.suffix != ".xhtml" or not path.is_relative_to(folder):
            return False
        docname = path.relative_to(folder).with_suffix("").as_posix()
        return docname in self.env.all_docs and not self._without(docname)

    def toc_metadata(self, level: int, navpoints: list[Any]) -> dict[str, Any]:
        """Name the book in the older table of contents as in the list of files."""
        return super().toc_metadata(level, navpoints) | {"uid": self.config.epub_identifier}

    def build_content(self) -> None:
        """Write the list of files, and say there which pages hold MathML and SVG, and what the cover is."""
        super().build_content()
        path = Path(self.outdir, "content.opf")
        text = _ITEM.sub(self._with_properties, path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")

    def _with_properties(self, item: re.Match[str]) -> str:
        name, place, kind = item.groups()
        properties = []
        if place == f"_static/{COVER}":
            properties.append("cover-image")
        if kind == "application/xhtml+xml":
            page = Path(self.outdir, place).read_text(encoding="utf-8")
            properties += [word for mark, word in (("<math", "mathml"), ("<svg", "svg")) if mark in page]
        said = f' properties="{" ".join(properties)}"' if properties else ""
        return f'<item id="{name}" href="{place}" media-type="{kind}"{said}/>'


def describe(_app: Sphinx, config: Config) -> None:
    """Give the e-book its title, author, identifier and cover; other builders do not read these."""
    config.epub_basename = NAME
    config.epub_title = config.html_title
    config.epub_author = config.epub_publisher = config.epub_contributor = config.author
    config.epub_copyright = f"© {config.copyright} {config.author}. Text CC BY 4.0, code MIT."
    config.epub_identifier = config.html_baseurl or uuid5(NAMESPACE_URL, NAME).urn
    config.epub_scheme = "URL" if config.html_baseurl else "UUID"
    config.epub_uid = "book"
    config.epub_cover = (f"_static/{COVER}", "epub-cover.html")
    config.epub_tocscope = "includehidden"
    config.epub_tocdup = False
    config.epub_tocdepth = 2
    config.epub_show_urls = "no"
    config.epub_use_index = False
    config.epub_css_files = []


def setup(app: Sphinx) -> None:
    """Register the builder in the place of Sphinx's own."""
    app.add_builder(EBookBuilder, override=True)
    app.connect("config-inited", describe)
