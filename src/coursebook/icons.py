"""Icon fonts with the icons of this book, instead of the two thousand that the theme brings."""

import logging
import re
from pathlib import Path

from fontTools import subset

# In a style sheet an icon is a character of the private use area, or an escape for one.
_ICON = re.compile(r"\\([ef][0-9a-f]{3})\b|([\ue000-\uf8ff])", re.IGNORECASE)
_FILES = re.compile(
    r'url\("?([^")]*/fa-[a-z]+-\d+)\.woff2"?\)\s*format\("woff2"\)(?:,\s*url\([^)]*\)[^,;}]*)*'
)

logging.getLogger("fontTools").setLevel(logging.WARNING)  # it would tell of each table of each font


def icons_in(css: str) -> set[int]:
    r"""The code points of the icons that a style sheet shows.

    Example:
        >>> sorted(map(hex, icons_in('.a:before{content:"\\f062"} .b:before{content:"\uf107"}')))
        ['0xf062', '0xf107']
    """
    return {int(found[1], 16) if found[1] else ord(found[2]) for found in _ICON.finditer(css)}


def point_to_subsets(css: str) -> str:
    """A style sheet that loads each icon font from the file that :func:`shrink` writes."""
    return _FILES.sub(r'url("\1.woff") format("woff")', css)


def shrink(folder: Path, icons: set[int]) -> None:
    """Replace the fonts in a folder by WOFF files with these icons alone.

    WOFF 2 would save another kilobyte, and need a package that compresses it.
    """
    for path in sorted(folder.glob("fa-*.ttf")):
        options = subset.Options(flavor="woff", hinting=False, layout_features=[], recalc_timestamp=False)
        font = subset.load_font(str(path), options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=icons)
        subsetter.subset(font)
        subset.save_font(font, str(path.with_suffix(".woff")), options)
        font.close()
        path.unlink()
        path.with_suffix(".woff2").unlink(missing_ok=True)
