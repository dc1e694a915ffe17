"""Make the finished pages light: one style sheet each, small pictures and icon fonts, no idle scripts.

They are changed after all of them are written: only then is it known which classes and icons they use.
"""

import hashlib
import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx

from coursebook import icons, stylesheets
from coursebook.assets import SITE
from coursebook.pictures import Pictures, with_lazy_pictures

_SHEET = re.compile(
    r'[ \t]*<link\b(?=[^>]*\brel="stylesheet")(?![^>]*\bmedia=)[^>]*\bhref="(?!\w+:|//)([^"]+)"[^>]*>\n?'
)
_SCRIPT = re.compile(
    r'<script(?![^>]*\b(?:defer|async|type)\b)(?=[^>]*\bsrc="(?![^"]*documentation_options))'
)
_NAMES = re.compile(r"""\b(?:class|id)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_BODY = re.compile(r"<script\b[^>]*>(.*?)</script>", re.DOTALL)
_WORD = re.compile(r"[\w-]+")

# Scripts of extensions that load on every page, and the class that they look for.
_IDLE = {"design-tabs.js": "sd-tab-set"}

_LAST = 950  # after whatever else still adds or changes pages


def lighten(app: Sphinx, exception: Exception | None) -> None:
    """Rewrite the pages of a finished HTML book, and delete the files that none of them loads any more."""
    if exception is None and app.builder.name == "html":
        root = Path(app.outdir)
        pages = {path: path.read_text(encoding="utf-8") for path in _pages(root)}
        scripts = [path.read_text(encoding="utf-8") for path in root.glob("_static/**/*.js")]
        bundles = Bundles(root, names_in(pages.values(), scripts))
        pictures = Pictures(root)
        for path, text in pages.items():
            changed = without_idle_scripts(bundles.with_one_sheet(path, text))
            changed = pictures.in_small_files(with_deferred_scripts(changed), path.parent)
            path.write_text(with_lazy_pictures(changed, path.parent), encoding="utf-8")
        bundles.finish()
        pictures.finish()


def _pages(root: Path) -> Iterable[Path]:
    return (path for path in sorted(root.rglob("*.html")) if "_static" not in path.parts)


def names_in(pages: Iterable[str], scripts: Iterable[str]) -> set[str]:
    """The classes and ids of the pages, and every word of a script, since it might become one.

    Example:
        >>> sorted(names_in(['<p class="a b" id="c">d<script>e("f-g")</script>'], ["h"]))
        ['a', 'b', 'c', 'e', 'f-g', 'h']
    """
    names: set[str] = set()
    for page in pages:
        names.update(chain.from_iterable((one or other).split() for one, other in _NAMES.findall(page)))
        names.update(chain.from_iterable(_WORD.findall(body) for body in _BODY.findall(page)))
    for script in scripts:
        names.update(_WORD.findall(script))
    return names


class Bundles:
    """The style sheets of a book: one for each set of sheets that some page asks for.

    Args:
        root: folder of the book.
        names: the classes and ids that pages and scripts use.
    """

    def __init__(self, root: Path, names: set[str]) -> None:
        self.static = root / "_static"
        self.names = names
        self._texts: dict[tuple[Path, ...], str] = {}

    def with_one_sheet(self, path: Path, text: str) -> str:
        """A page that loads one style sheet in the place of the first of its own."""
        found = list(_SHEET.finditer(text))
        sheets = tuple((path.parent / unquote(urlsplit(link[1]).path)).resolve() for link in found)
        if not sheets:
            return text
        prefix = "../" * (len(path.relative_to(self.static.parent).parts) - 1)
        link = f'    <link rel="stylesheet" href="{prefix}_static/{self._name(sheets)}">\n'
        return text[: found[0].start()] + link + _SHEET.sub("", text[found[0].start() :])

    def _name(self, sheets: tuple[Path, ...]) -> str:
        if sheets not in self._texts:
            self._texts[sheets] = '@charset "UTF-8";' + "\n".join(self._text(sheet) for sheet in sheets)
        # The content names the file: a browser that kept last month's does not take it for this one.
        digest = hashlib.sha256(self._texts[sheets].encode()).hexdigest()
        return f"book-{digest[:8]}.css"

    def _text(self, path: Path) -> str:
        text = icons.point_to_subsets(stylesheets.sheet(path, self.static.resolve()))
        ours = (SITE / path.name).is_file()  # of what is written for this book, everything is used
        return text if ours else stylesheets.without_unused(text, self.names)

    def finish(self) -> None:
        """Write the sheets, shrink the icon fonts to what they show, and delete what went into them."""
        for sheets, text in self._texts.items():
            (self.static / self._name(sheets)).write_text(text, encoding="utf-8")
        sheets_read = set(chain.from_iterable(self._texts))
        for path in sheets_read.union(*map(stylesheets.imported, sheets_read)):
            path.unlink()
        shown = icons.icons_in("".join(self._texts.values()))
        icons.shrink(self.static / "vendor" / "fontawesome" / "webfonts", shown)


def without_idle_scripts(text: str) -> str:
    """A page without the scripts that would find nothing to do on it.

    Example:
        >>> without_idle_scripts('<script src="_static/design-tabs.js?v=1"></script><p>')
        '<p>'
        >>> without_idle_scripts('<script src="design-tabs.js"></script><div class="sd-tab-set">')
        '<script src="design-tabs.js"></script><div class="sd-tab-set">'
    """
    for script, name in _IDLE.items():
        if name not in text.replace(script, ""):
            text = re.sub(rf'<script\b[^>]*\bsrc="[^"]*{re.escape(script)}[^"]*"[^>]*></script>\s*', "", text)
    return text


def with_deferred_scripts(text: str) -> str:
    """A page whose scripts run in their order once it is read, so that none delays the first look.

    ``documentation_options.js`` stays as it is, for scripts within the page add to what it defines. So does
    the search page, which calls its scripts from within.
    """
    head, end, body = text.partition("</head>")
    return text if "searchtools.js" in head else _SCRIPT.sub("<script defer", head) + end + body


def setup(app: Sphinx) -> None:
    """Connect the step to the end of a build."""
    app.connect("build-finished", lighten, priority=_LAST)
