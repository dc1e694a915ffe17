"""What must be true of every built page; each check gives one sentence for each breach.

The checks read files only, so that they say the same on every machine and need no browser.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag

# Which attributes make a browser load something; a link that one may follow is no load.
_LOADS = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "iframe": ("src",),
    "audio": ("src",),
    "video": ("src", "poster"),
    "embed": ("src",),
    "object": ("data",),
    "input": ("src",),
    "form": ("action",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
}
# A link element loads what it names, unless it only says how pages relate.
_RELATIONS = {"canonical", "index", "search", "next", "prev", "author", "license", "copyright", "alternate"}

_FOREIGN = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)
_FOREIGN_CSS = re.compile(r"""(?:url\(|@import)\s*["']?\s*((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)
_LOCAL_CSS = re.compile(r"""url\(\s*["']?(?!data:|#|(?:https?:)?//)([^"')]+)""", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_FILE_NAME = re.compile(r"\S*\.(?:png|svg|jpe?g|gif|webp)", re.IGNORECASE)
_LATEX = re.compile(r"\\\(|\\\[|\$\$|\\(?:frac|mathbb|begin|sum|operatorname)\b")
_HEADING = re.compile(r"h[1-6]")

_GENERATED = {"404.html", "genindex.html", "search.html"}  # pages that Sphinx adds and nobody writes


@dataclass(frozen=True)
class Page:
    """One HTML file of a built book."""

    path: Path

    @cached_property
    def soup(self) -> BeautifulSoup:
        """The page, parsed."""
        return BeautifulSoup(self.path.read_text(encoding="utf-8"), "html.parser")

    @cached_property
    def text(self) -> Tag:
        """What the author wrote, without the frame around it."""
        return self.soup.article or self.soup.main or self.soup

    @cached_property
    def anchors(self) -> set[str]:
        """The places on the page that a link may name."""
        return {_value(tag, name) for tag in self.soup.find_all() for name in ("id", "name")} - {""}

    @property
    def is_redirect(self) -> bool:
        """Whether the page only sends the reader on to another."""
        return any(_value(tag, "http-equiv").lower() == "refresh" for tag in self.soup.find_all("meta"))


Book = dict[Path, Page]
Check = Callable[[Page, Book], Iterator[str]]


def read_book(root: Path) -> Book:
    """The pages of a built book, except what the theme keeps among its own files."""
    paths = (path.resolve() for path in sorted(root.rglob("*.html")) if "_static" not in path.parts)
    return {path: Page(path) for path in paths}


@dataclass(frozen=True)
class Breach:
    """One page breaks one rule.

    Args:
        page: the page's path within the book.
        rule: name of the check that found it.
        problem: what is wrong, as a sentence.
    """

    page: str
    rule: str
    problem: str

    def __str__(self) -> str:
        return f"{self.page}: {self.problem}"


def find_problems(root: Path) -> list[str]:
    """Every breach in a built book, as sentences that begin with the page."""
    return [*check_stylesheets(root), *map(str, find_breaches(root))]


def find_breaches(root: Path) -> Iterator[Breach]:
    """Every breach on the pages of a built book."""
    book = read_book(root)
    for page in book.values():
        if not page.is_redirect:
            name = page.path.relative_to(root.resolve()).as_posix()
            for check in CHECKS:
                yield from (Breach(name, check.__name__, problem) for problem in check(page, book))


def check_loads(page: Page, _book: Book) -> Iterator[str]:
    """Nothing may be fetched from another host."""
    for name, attributes in _LOADS.items():
        for tag in page.soup.find_all(name):
            for attribute in attributes:
                if _FOREIGN.match(_value(tag, attribute)):
                    yield f"<{name} {attribute}={_value(tag, attribute)!r}> is fetched from elsewhere"
    for tag in page.soup.find_all("link"):
        relations = set(_value(tag, "rel").lower().split())
        if _FOREIGN.match(_value(tag, "href")) and not relations <= _RELATIONS:
            yield f"<link href={_value(tag, 'href')!r}> is fetched from elsewhere"
    styles = [tag.get_text() for tag in page.soup.find_all("style")]
    styles += [_value(tag, "style") for tag in page.soup.find_all(style=True)]
    for style in styles:
        yield from _foreign_styles(style)


def check_stylesheets(root: Path) -> Iterator[str]:
    """Style sheets load nothing from another host, and every file that they name is there."""
    for path in sorted(root.rglob("*.css")):
        text = _COMMENT.sub("", path.read_text(encoding="utf-8"))
        yield from (f"{path.name}: {problem}" for problem in _foreign_styles(text))
        for address in _LOCAL_CSS.findall(text):
            if not (path.parent / unquote(urlsplit(address.strip()).path)).is_file():
                yield f"{path.name}: names {address.strip()!r}, which is not there"


def _foreign_styles(text: str) -> Iterator[str]:
    for address in _FOREIGN_CSS.findall(_COMMENT.sub("", text)):
        yield f"a style loads {address!r} from elsewhere"


def check_scripts(page: Page, _book: Book) -> Iterator[str]:
    """The scripts that this book does without are not loaded, and no script is loaded twice."""
    for tag in page.soup.find_all(["script", "link"]):
        text = f"{_value(tag, 'src')} {_value(tag, 'href')} {tag.get_text()}".lower()
        yield from (f"{name} is loaded" for name in ("fontawesome.js", "thebe", "mathjax") if name in text)
    sources = [_value(tag, "src") for tag in page.soup.find_all("script", src=True)]
    for source, count in sorted(Counter(sources).items()):
        if count > 1:
            yield f"{source} is loaded {count} times"


def check_files(page: Page, _book: Book) -> Iterator[str]:
    """Every script, style sheet and picture that the page names is there."""
    for tag in page.soup.find_all(["script", "img", "link"]):
        address = _value(tag, "src") or _value(tag, "href")
        path = _local_path(page, address)
        if path is not None and not path.is_file():
            yield f"<{tag.name}> names {address!r}, which is not there"


def check_links(page: Page, book: Book) -> Iterator[str]:
    """Every link within the book leads to a file, and to a place on its page."""
    for tag in page.soup.find_all("a", href=True):
        address = _value(tag, "href")
        path = _local_path(page, address)
        fragment = unquote(urlsplit(address).fragment)
        if path is None:
            continue
        if not path.is_file():
            yield f"the link {address!r} leads to no file"
        elif fragment and path in book and not _leads_somewhere(fragment, book[path]):
            yield f"the link {address!r} leads to no place on its page"


def _leads_somewhere(fragment: str, page: Page) -> bool:
    """Whether a page has a place of this name, or is the playground and takes settings instead."""
    is_state = "=" in fragment and page.text.find("form", class_="playground") is not None
    return is_state or fragment in page.anchors


def check_pictures(page: Page, _book: Book) -> Iterator[str]:
    """Pictures in the text have a description that is not the name of their file."""
    for image in page.text.find_all("img"):
        alt = _value(image, "alt").strip()
        if not alt or _FILE_NAME.fullmatch(alt):
            yield f"the picture {_value(image, 'src')!r} is described by {alt!r}"


def check_headings(page: Page, _book: Book) -> Iterator[str]:
    """A page has one h1, and its headings go down one level at a time."""
    levels = [int(tag.name[1]) for tag in page.text.find_all(_HEADING)]
    if levels.count(1) != 1:
        yield f"there are {levels.count(1)} headings h1, not one"
    for above, below in pairwise(levels):
        if below > above + 1:
            yield f"a heading h{below} follows one of h{above}"


def check_formulas(page: Page, _book: Book) -> Iterator[str]:
    """Formulas are KaTeX's HTML with MathML, and no LaTeX is left in the text."""
    for tag in page.soup.find_all(class_="math"):
        if tag.find("math") is None or tag.find(class_="katex-html") is None:
            yield f"the formula {tag.get_text()[:60]!r} is not rendered"
    for text in page.text.find_all(string=_LATEX):
        if text.find_parent(["code", "pre", "annotation", "script", "style"]) is None:
            yield f"LaTeX is left in {str(text).strip()[:60]!r}"


def check_head(page: Page, _book: Book) -> Iterator[str]:
    """A page states its language, title and description, and offers to skip to its text."""
    if page.soup.html is None or not _value(page.soup.html, "lang"):
        yield "the language of the page is not stated"
    if page.soup.title is None or not page.soup.title.get_text().strip():
        yield "the page has no title"
    if page.path.name not in _GENERATED and page.soup.find("meta", attrs={"name": "description"}) is None:
        yield "the page has no description"
    if page.soup.find("a", href="#main-content") is None:
        yield "no link skips to the text"


def check_names(page: Page, _book: Book) -> Iterator[str]:
    """No two places on a page have the same name."""
    names = [_value(tag, "id") for tag in page.text.find_all(id=True)]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"the id {name!r} occurs {names.count(name)} times"


CHECKS: tuple[Check, ...] = (
    check_loads,
    check_scripts,
    check_files,
    check_links,
    check_pictures,
    check_headings,
    check_formulas,
    check_head,
    check_names,
)


def _value(tag: Tag, attribute: str) -> str:
    """An attribute as one text; an attribute that is not there is empty."""
    value = tag.get(attribute) or ""
    return value if isinstance(value, str) else " ".join(value)


def _local_path(page: Page, address: str) -> Path | None:
    """The file that an address names from this page; ``None`` if it is no file of the book."""
    parts = urlsplit(address)
    if not address or parts.scheme or parts.netloc:
        return None
    if page.path.name == "404.html" and parts.path.startswith("/"):
        return None  # once the book has an address, this page begins its links at the site's root
    return (page.path.parent / unquote(parts.path)).resolve() if parts.path else page.path
