"""Chapters keep the number in their file's name, also while earlier chapters are not in the book yet.

Sphinx counts the chapters that the table of contents lists. A reader who is told of "chapter 4" would then
look for it under another number until chapters 2 and 3 are finished, and every citation of a figure would
change.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

_NUMBERED = re.compile(r"chapters/(\d+)-")
# After Sphinx's own collectors, which listen to the same event at the default priority of 500.
_AFTER_SPHINX = 900


def renumber(app: Sphinx, env: BuildEnvironment) -> list[str]:  # noqa: ARG001  (Sphinx passes the application)
    """Replace the first component of every section, figure and equation number of a numbered chapter."""
    for docname in env.toc_secnumbers:
        match = _NUMBERED.match(docname)
        if match is None:
            continue
        first = int(match[1])
        sections = env.toc_secnumbers[docname]
        for anchor, number in sections.items():
            sections[anchor] = _with_first(number, first)
        for figures in env.toc_fignumbers.get(docname, {}).values():
            for figure, number in figures.items():
                figures[figure] = _with_first(number, first)
        title = env.titles[docname]
        if "secnumber" in title:
            title["secnumber"] = _with_first(title["secnumber"], first)
        for toc in env.tocs.values():
            _renumber_links(toc, docname, first)
    return []


def _renumber_links(toc: nodes.Element, docname: str, first: int) -> None:
    for link in toc.findall(nodes.reference):
        if link.get("refuri") == docname and link.get("secnumber"):
            link["secnumber"] = _with_first(link["secnumber"], first)


def _with_first(number: Any, first: int) -> tuple[int, ...]:
    return (first, *number[1:])


def setup(app: Sphinx) -> None:
    """Register the step."""
    app.connect("env-get-updated", renumber, priority=_AFTER_SPHINX)
