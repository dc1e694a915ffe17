"""The whole book on one page, from which the PDF is printed: ``-b singlehtml``.

Sphinx's own builder keeps the names of sections as they are, so that ``#summary`` leads to the summary of the
first chapter from everywhere. Here every name is preceded by that of its page. Pages that need a screen are
left out, and what would be folded there is opened or moved (`coursebook.solutions_last`).
"""

import posixpath
import shutil
from collections.abc import Iterator
from fnmatch import fnmatch
from html import escape
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.singlehtml import SingleFileHTMLBuilder
from sphinx.util.console import darkgreen
from sphinx.util.nodes import inline_all_toctrees

from coursebook.accessible import repair_roles
from coursebook.assets import PAPER
from coursebook.card_nodes import HtmlText
from coursebook.card_pages import STYLE as CARDS
from coursebook.paper_tables import split_tables
from coursebook.solutions_last import open_details, solutions_last
from coursebook.still import make_still

PAGE, STYLE = "book.html", "paper.css"
# What pages of the site load themselves: the theme's template its styles, and a page with cards theirs.
STYLES = ("_static/styles/theme.css", "_static/styles/pydata-sphinx-theme.css", f"_static/{CARDS}")
_GAP = "\u2003"  # an em space, between a number and a title
_NAMELESS = {"exercise-content", "solution-content"}  # each exercise of a page bears these


def is_left_out(config: Any, docname: str) -> bool:
    """Tell whether a page is left out of the PDF and the e-book: see ``paper_without`` in ``_config.yml``.

    Example:
        >>> from types import SimpleNamespace
        >>> config = SimpleNamespace(paper_without=["playground", "api/*"])
        >>> is_left_out(config, "api/layers"), is_left_out(config, "api")
        (True, False)
    """
    return any(fnmatch(docname, pattern) for pattern in config.paper_without)


def prefixed(docname: str, name: str) -> str:
    """Give the name that a place has on the one page.

    Example:
        >>> prefixed("chapters/04-scaling", "the-switch")
        'chapters-04-scaling--the-switch'
    """
    return f"{docname}--{name}".replace("/", "-")


class SinglePageBuilder(SingleFileHTMLBuilder):
    """Writes ``book.html``: cover, contents, then the parts of the table of contents with their pages."""

    add_permalinks = False
    download_support = False
    html_scaled_image_link = False
    search = False

    def assemble_doctree(self) -> nodes.document:
        """Put the pages that are not left out behind one another, each with names of its own."""
        root = self.config.root_doc
        without = [name for name in self.env.all_docs if is_left_out(self.config, name)]
        tree = self.env.get_doctree(root)
        _split_into_parts(tree)
        tree = inline_all_toctrees(self, set(), root, tree, darkgreen, [root, *without])
        tree["docname"] = root
        for part in [node for node in tree.findall(nodes.section) if "part" in node["classes"]]:
            if next(part.findall(addnodes.start_of_file), None) is None:
                part.parent.remove(part)
        files = list(tree.findall(addnodes.start_of_file))
        for file in files:
            for child in file.children:
                child.parent = file
        self._append(tree, files)
        self.env.resolve_references(tree, root, self)
        for file in files:
            solutions_last(file, self._name_of)
        open_details(tree)
        make_still(tree)
        split_tables(tree)
        self._lead(tree, root, files)
        self._rename(tree, root)
        self._contents = list(self._list_contents(tree, root))
        return tree

    def _append(self, tree: nodes.document, files: list[nodes.Element]) -> None:
        """Move what is looked up rather than read to the end: see ``paper_appendix`` in ``_config.yml``."""
        appendix = nodes.section("", nodes.title("", "Appendix"), ids=["appendix"], classes=["part"])
        for file in files:
            if file["docname"] in self.config.paper_appendix:
                file.parent.remove(file)
                appendix += file
        if len(appendix.children) > 1:
            tree += appendix

    def _name_of(self, exercise: nodes.Element) -> str:
        """The name of an exercise as its title gives it; call it before anything is renamed."""
        numbers = self.env.toc_fignumbers.get(exercise.get("docname", ""), {}).get("exercise", {})
        number = ".".join(map(str, numbers.get(exercise["ids"][0], ())))
        title = exercise.next_node(nodes.title)
        return f"Exercise {number}{title.astext() if title is not None else ''}".strip()

    def _lead(self, tree: nodes.document, root: str, files: list[nodes.Element]) -> None:
        """Let links lead to places on this page, to the published book, or nowhere."""
        tops = {root: prefixed(root, _top(tree))}
        tops |= {file["docname"]: prefixed(file["docname"], _top(file)) for file in files}
        for link in list(tree.findall(nodes.reference)):
            docname, _, name = link.get("refuri", "").removeprefix("#document-").partition("#")
            if not link.get("refuri", "").startswith("#document-"):
                continue
            if is_left_out(self.config, docname):
                _lead_away(link, self._address(f"{docname}.html" + (f"#{name}" if name else "")))
            else:
                link["refuri"] = f"#{prefixed(docname, name) if name else tops[docname]}"
        for file in files:
            for link in list(file.findall(_is_link)):
                target = link["attributes"].get("href", "")
                if "://" not in target:
                    path = posixpath.normpath(posixpath.join(posixpath.dirname(file["docname"]), target))
                    _lead_away(link, self._address(path))

    def _address(self, path: str) -> str:
        """Where a file of the published book lies; empty if it is not known."""
        base = self.config.html_baseurl
        return f"{base.rstrip('/')}/{path}" if base else ""

    def _rename(self, tree: nodes.Element, docname: str) -> None:
        """Put the name of its page before each name."""
        for node in tree.children:
            if not isinstance(node, nodes.Element):
                continue
            inner = node["docname"] if isinstance(node, addnodes.start_of_file) else docname
            node["ids"] = [prefixed(inner, name) for name in node["ids"] if name not in _NAMELESS]
            for key in ("refid", "backrefs"):
                if isinstance(node.get(key), str):
                    node[key] = prefixed(inner, node[key])
                elif node.get(key):
                    node[key] = [prefixed(inner, name) for name in node[key]]
            self._rename(node, inner)

    def _list_contents(self, tree: nodes.document, root: str) -> Iterator[str]:
        """One line for each part and each page, to which the page's number is added when it is known."""
        yield _line(_top(tree), self.env.titles[root].astext(), "page")
        for part in tree.findall(lambda node: isinstance(node, nodes.section) and "part" in node["classes"]):
            title = part.next_node(nodes.title)
            if title is not None:
                yield _line(part["ids"][0], title.astext(), "part")
            for file in part.findall(addnodes.start_of_file):
                title = self.env.titles[file["docname"]]
                number = ".".join(map(str, title.get("secnumber", ())))
                kind = "page" if file.parent is part else "below"
                yield _line(_top(file), f"{number}{_GAP}{title.astext()}" if number else title.astext(), kind)

    def assemble_toc_secnumbers(self) -> dict[str, dict[str, tuple[int, ...]]]:
        """The numbers of sections under their names on this page."""
        numbers = {
            f"{docname}/{'#' + prefixed(docname, name[1:]) if name else ''}": number
            for docname, sections in self.env.toc_secnumbers.items()
            for name, number in sections.items()
        }
        return {self.config.root_doc: numbers}

    def assemble_toc_fignumbers(self) -> dict[str, dict[str, dict[str, tuple[int, ...]]]]:
        """The numbers of figures, tables, equations and exercises under their names on this page."""
        numbers = {
            f"{docname}/{kind}": {prefixed(docname, name): number for name, number in known.items()}
            for docname, kinds in self.env.toc_fignumbers.items()
            for kind, known in kinds.items()
        }
        return {self.config.root_doc: numbers}

    def get_doc_context(self, docname: str, body: str, metatags: str) -> dict[str, Any]:  # noqa: ARG002
        """Give the body alone: there is nothing around it."""
        return {"body": body}

    def handle_page(self, pagename: str, addctx: dict[str, Any], *_args: object, **_options: object) -> None:
        """Write the page with a cover, an imprint and the contents before its body."""
        repair_roles(self.app, pagename, "", addctx, None)
        styles = [
            *STYLES,
            *(str(each.filename) for each in sorted(self._css_files, key=lambda each: each.priority)),
        ]
        config = self.config
        text = Template((PAPER / PAGE).read_text(encoding="utf-8")).substitute(
            language=escape(config.language),
            title=escape(config.html_title),
            author=escape(config.author),
            description=escape(config.epub_description),
            version=version("dropout-measured"),
            year=escape(config.copyright),
            styles="\n".join(f'<link rel="stylesheet" href="{escape(name)}">' for name in styles),
            contents="\n".join(self._contents),
            body=addctx["body"],
        )
        Path(self.outdir, PAGE).write_text(text, encoding="utf-8")
        shutil.copy(PAPER / STYLE, self.outdir)


def _split_into_parts(tree: nodes.document) -> None:
    """Make each part of the table of contents a section beside that of the first page."""
    for number, toctree in enumerate(list(tree.findall(addnodes.toctree)), start=1):
        toctree.parent.remove(toctree)
        part = nodes.section("", ids=[f"part-{number}"], classes=["part"])
        if toctree.get("caption"):
            part += nodes.title("", toctree["caption"])
        part += toctree
        tree += part


def _top(page: nodes.Element) -> str:
    """The name of a page's first section."""
    return str(next(page.findall(nodes.section))["ids"][0])


def _is_link(node: nodes.Node) -> bool:
    return isinstance(node, HtmlText) and node["tag"] == "a"


def _lead_away(link: nodes.Element, address: str) -> None:
    """Let a link lead to an address, or make it plain text where there is none."""
    if isinstance(link, HtmlText):
        link["tag"] = "a" if address else "span"
        link["attributes"] = {"href": address} if address else {}
    elif address:
        link["refuri"] = address
    else:
        link.parent.replace(link, nodes.inline("", "", *link.children))


def _line(name: str, title: str, kind: str) -> str:
    return f'<li class="contents-{kind}"><a href="#{escape(name)}">{escape(title)}</a></li>'


def share_handlers(app: Sphinx) -> None:
    """Let the single page and the e-book write each node as the HTML book does.

    An extension that registers a node for ``singlehtml`` alone, as sphinx-exercise does, would otherwise hide
    what all the others registered for ``html``.
    """
    handlers = app.registry.translation_handlers
    for name in ("singlehtml", "epub"):
        handlers[name] = {**handlers.get("html", {}), **handlers.get(name, {})}


def setup(app: Sphinx) -> None:
    """Register the builder in the place of Sphinx's own."""
    app.add_config_value("paper_without", [], "", [list])
    app.add_config_value("paper_appendix", [], "", [list])
    app.add_builder(SinglePageBuilder, override=True)
    app.connect("builder-inited", share_handlers)
