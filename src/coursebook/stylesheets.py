"""One style sheet instead of many, without the rules that no page of the book could use.

The theme brings 500 kB of CSS in eleven files, for every kind of site that one might build with it. A rule
is left out only if its selector asks for a class or an id that neither a page nor a script names; what stands
in ``:not()``, ``:is()`` or brackets is never a reason to leave it out.
"""

import os
import re
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import tinycss2

_IMPORT = re.compile(r"""@import\s*(?:url\(\s*)?["']?([^"')\s;]+)["']?\s*\)?\s*;""")
_ADDRESS = re.compile(r"""url\(\s*(["']?)(?!data:|#|[a-z]+:)([^"')]+)\1\s*\)""")
_CHARSET = re.compile(r"""@charset\s*["'][^"']*["'];""")

# Of these classes a script of the theme puts the names together while it runs.
_PUT_TOGETHER = ("bs-", "kind-")
_GROUPS = {"media", "supports", "layer", "container"}


def sheet(path: Path, folder: Path) -> str:
    """The text of a style sheet and of those that it imports, with addresses that hold from ``folder``."""
    text = _CHARSET.sub("", path.read_text(encoding="utf-8-sig"))
    text = _ADDRESS.sub(lambda found: f'url("{_moved(found[2], path.parent, folder)}")', text)
    return _IMPORT.sub(lambda found: sheet(path.parent / found[1], folder), text)


def imported(path: Path) -> Iterator[Path]:
    """The style sheets that one asks for, and those that they ask for."""
    for address in _IMPORT.findall(path.read_text(encoding="utf-8-sig")):
        yield path.parent / address
        yield from imported(path.parent / address)


def _moved(address: str, old: Path, new: Path) -> str:
    return Path(os.path.relpath(old / address.strip(), new)).as_posix()


def without_unused(css: str, names: Collection[str]) -> str:
    """The rules of a style sheet that may apply where these are all the classes and ids there are.

    Example:
        >>> without_unused("p, .a:hover, .b {color: red} .c:not(.a) {top: 0}", {"a"})
        'p,.a:hover{color: red}'
    """
    return "".join(_kept(_parsed(css), names))


@lru_cache(maxsize=64)
def _parsed(css: str) -> list[Any]:
    # Books are built several times in one process only by tests; the sheets of the theme are the same in all.
    parsed: list[Any] = tinycss2.parse_stylesheet(css, skip_whitespace=True)
    return parsed


def _kept(rules: Iterable[Any], names: Collection[str]) -> Iterator[str]:
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [_text(one) for one in _split(rule.prelude) if _may_apply(one, names)]
            if selectors:
                yield f"{','.join(selectors)}{{{_text(rule.content)}}}"
        elif rule.type == "at-rule" and rule.at_keyword in _GROUPS and rule.content is not None:
            inner = tinycss2.parse_rule_list(rule.content, skip_whitespace=True)
            body = "".join(_kept(inner, names))
            if body:
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{body}}}"
        elif rule.type == "comment":
            if rule.value.startswith("!"):  # a licence, which stays with what it covers
                yield rule.serialize()
        else:
            yield rule.serialize()


def _text(tokens: list[Any]) -> str:
    return str(tinycss2.serialize([token for token in tokens if token.type != "comment"])).strip()


def _split(selectors: list[Any]) -> Iterator[list[Any]]:
    """The parts of a list of selectors between its commas."""
    part: list[Any] = []
    for piece in selectors:
        if piece == ",":
            yield part
            part = []
        else:
            part.append(piece)
    yield part


def _may_apply(selector: list[Any], names: Collection[str]) -> bool:
    asked = {token.value for token in selector if token.type == "hash"}
    for dot, name in pairwise(selector):
        if dot == "." and name.type == "ident":
            asked.add(name.value)
    return all(name in names or name.startswith(_PUT_TOGETHER) for name in asked)
