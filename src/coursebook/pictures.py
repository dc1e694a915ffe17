"""Pictures of finished pages: smaller files with the same pixels, loaded when a reader comes near them.

Line art without loss is a quarter smaller as WebP than as the PNG that a notebook stores. Every browser of
the last five years shows both.
"""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from PIL import Image

_TAG = re.compile(r"<img\b(?![^>]*\bloading=)[^>]*>")
_SOURCE = re.compile(r'\bsrc="([^"]+)"')
_SIZED = re.compile(r"\s(?:width|height)=")
_ADDRESS = re.compile(r'(?P<before>\s(?:src|href)=")(?P<path>[^":]+)\.png(?=")')

# How hard to look for a smaller file. More takes seconds for a hundred pictures and gains 2 %.
_QUALITY, _METHOD = 50, 2


class Pictures:
    """The pictures of a book, each made smaller at most once.

    Args:
        root: folder of the book; only what lies in its ``_images`` is touched.
    """

    def __init__(self, root: Path) -> None:
        self._folder = (root / "_images").resolve()
        self._old: set[Path] = set()

    def in_small_files(self, text: str, folder: Path) -> str:
        """A page that shows, and leads to, WebP files in the place of its PNG files.

        Args:
            text: the page.
            folder: where the page lies.
        """

        def small(address: re.Match[str]) -> str:
            path = (folder / unquote(f"{address['path']}.png")).resolve()
            if path.parent == self._folder and (path in self._old or path.is_file()):
                self._shrink(path)
                return f"{address['before']}{address['path']}.webp"
            return address[0]

        return _ADDRESS.sub(small, text)

    def _shrink(self, path: Path) -> None:
        if path not in self._old:
            with Image.open(path) as picture:
                picture.convert("RGBA").save(
                    path.with_suffix(".webp"), lossless=True, quality=_QUALITY, method=_METHOD
                )
            self._old.add(path)

    def finish(self) -> None:
        """Delete the files that no page asks for any more."""
        for path in self._old:
            path.unlink()


def with_lazy_pictures(text: str, folder: Path) -> str:
    """A page that loads the pictures of its text when a reader comes near them, in places kept for them.

    The sizes of the files go into the page: without them a picture has no height until it is there, and the
    text that a reader came for moves away.

    Args:
        text: the page.
        folder: where the page lies.
    """
    frame, start, article = text.partition("<article")
    return frame + start + _TAG.sub(lambda tag: _lazy(tag[0], folder), article)


def _lazy(tag: str, folder: Path) -> str:
    source = _SOURCE.search(tag)
    path = folder / unquote(urlsplit(source[1]).path) if source else folder
    size = ""
    if path.suffix in (".png", ".webp") and path.is_file() and not _SIZED.search(tag):
        with Image.open(path) as picture:
            size = f' width="{picture.width}" height="{picture.height}"'
    return tag.replace("<img", f'<img loading="lazy"{size}', 1)
