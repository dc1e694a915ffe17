"""What a book needs once it has an address: canonical links, social cards, a sitemap, a page for lost ways.

One setting turns it on, ``html: baseurl`` of ``_config.yml``, which ``coursebook build --site-url`` and the
variable ``BOOK_SITE_URL`` replace. Without an address nothing here writes one, and the book is the same from
a disk and from any server.
"""

import re
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config

from coursebook.social_card import HEIGHT, WIDTH, draw

CARDS = Path("_images") / "cards"
LOST = "404"  # what servers show in the place of a page that is not there
SITEMAP = "sitemap.xml"

# Pages that nobody looks for.
_UNLISTED = {LOST, "search", "genindex"}

_SHARED = re.compile(r'<meta (?:property="og:|name="(?:description|twitter:))[^>]*>')
_ADDRESSED = re.compile(
    r'(?<=\s)(href|src|action|data-content_root)="(?!#|/|[a-z][a-z0-9+.-]*:)(?:\./)?([^"]*)"'
)


def end_with_slash(_app: Sphinx, config: Config) -> None:
    """Complete the address, so that a page's name can follow it."""
    if config.html_baseurl:
        config.html_baseurl = config.html_baseurl.rstrip("/") + "/"


def add_social_card(
    app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Say in a page's head what a link to it shows elsewhere; addresses only where the book has one."""
    if page in _UNLISTED:
        context.pop("pageurl", None)  # no search engine should keep them
    if doctree is None:
        return
    title = app.env.titles[page].astext()
    facts = {
        "og:type": "article",
        "og:site_name": app.config.html_title or app.config.project,
        "og:title": title,
    }
    if "description" in context:
        facts["og:description"] = context["description"]
    base = app.config.html_baseurl
    if base:
        card = CARDS / f"{page.replace('/', '-')}.png"
        target = Path(app.outdir) / card
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(draw(title, facts.get("og:description", ""), facts["og:site_name"]))
        facts |= {
            "og:url": f"{base}{page}.html",
            "og:image": f"{base}{card.as_posix()}",
            "og:image:width": str(WIDTH),
            "og:image:height": str(HEIGHT),
            "og:image:alt": f"{facts['og:site_name']}: {title}",
        }
        context["metatags"] = (
            f'{context.get("metatags", "")}\n<meta name="twitter:card" content="summary_large_image">'
        )
    lines = (f'<meta property="{name}" content="{escape(text)}">' for name, text in facts.items())
    context["metatags"] = "\n".join([context.get("metatags", ""), *lines])


def lost_page(_app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The page for lost ways, from its template."""
    yield LOST, {}, f"{LOST}.html"


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Write what concerns the whole site."""
    if exception is not None or app.builder.name != "html":
        return
    base, folder = app.config.html_baseurl, Path(app.outdir)
    _write_front(folder, app.config.root_doc, app.config.html_title or app.config.project, base)
    if not base:
        return
    listed = sorted(page for page in app.env.found_docs if page not in _UNLISTED)
    (folder / SITEMAP).write_text(sitemap(f"{base}{page}.html" for page in listed), encoding="utf-8")
    lost = folder / f"{LOST}.html"
    lost.write_text(rooted(lost.read_text(encoding="utf-8"), urlsplit(base).path), encoding="utf-8")


def _write_front(folder: Path, first: str, title: str, base: str) -> None:
    """The page at the book's own address, which leads to the first page and is shared like it."""
    if first == "index":
        return
    head = _SHARED.findall((folder / f"{first}.html").read_text(encoding="utf-8"))
    if base:
        head.append(f'<link rel="canonical" href="{escape(base)}{first}.html">')
    text = (
        f'<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        + "".join(f"{line}\n" for line in head)
        + f'<meta http-equiv="refresh" content="0; url={first}.html">\n'
        + f'<a href="{first}.html">{escape(title)}</a>\n'
    )
    (folder / "index.html").write_text(text, encoding="utf-8")


def sitemap(addresses: Iterable[str]) -> str:
    """The list of a site's pages as search engines read it.

    Example:
        >>> print(sitemap(["https://example.org/intro.html"]))
        <?xml version="1.0" encoding="utf-8"?>
        <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
        <url><loc>https://example.org/intro.html</loc></url>
        </urlset>
        <BLANKLINE>

    Source: the protocol of sitemaps.org, version 0.9.
    """
    entries = "\n".join(f"<url><loc>{escape(address)}</loc></url>" for address in addresses)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
        f"{entries}\n</urlset>\n"
    )


def rooted(html: str, root: str) -> str:
    """Let every address of a page begin at the site's root: the page stands in for others in any folder.

    Example:
        >>> rooted('<a href="intro.html"></a> <a href="#main"></a> <img src="./a.png">', "/book/")
        '<a href="/book/intro.html"></a> <a href="#main"></a> <img src="/book/a.png">'
    """
    return _ADDRESSED.sub(lambda match: f'{match[1]}="{root}{match[2]}"', html)


def setup(app: Sphinx) -> None:
    """Connect the steps to the events of a build."""
    app.connect("config-inited", end_with_slash)
    app.connect("html-page-context", add_social_card, priority=600)  # when the page has its description
    app.connect("html-collect-pages", lost_page)
    # After the table of contents, which has a front page of its own, and after what changes finished pages.
    app.connect("build-finished", finish, priority=990)
