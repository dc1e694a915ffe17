"""No measured number is typed into a chapter: what a computation gives is inserted from it.

Decimal numbers and percentages in prose are settings ("with probability 0.3"), made-up examples or
quotations. ``typed_numbers.toml`` lists each with its reason; a number that is not listed fails, and so does
an entry whose number is gone. Only a drop probability of one decimal ("p = 0.3") needs no entry.
"""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("[0-9][0-9]-*.md"))
ALLOWED = tomllib.loads((Path(__file__).parent / "typed_numbers.toml").read_text(encoding="utf-8"))

# What is no prose: the head of the file, code cells and other fences (directives with colons stay), comments,
# formulas, inline code, roles with what they hold, targets of links.
_NO_PROSE = re.compile(
    r"\A---\n.*?\n---\n|^(`{3,})\{code-cell\}.*?^\1$|^(`{3,})(?!\{).*?^\2$|^%.*?$|\$\$.*?\$\$|\$[^$\n]+\$"
    r"|\{[\w:-]+\}`[^`]*`|`[^`\n]*`|\]\([^)]*\)",
    re.DOTALL | re.MULTILINE,
)
_NUMBER = re.compile(
    r"(?<![\w.])\d+(?:[.,]\d+)*(?:\.\d+|[\s\u00a0]?(?:%|per cent\b|percentage points?\b|points?\b))"
)
_BEFORE, _AFTER = 30, 18


def typed(text: str) -> Iterator[tuple[int, str, str]]:
    """Find the numbers typed into prose.

    Yields:
        Line, number and the words around it.
    """
    prose = _NO_PROSE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    for number in _NUMBER.finditer(prose):
        if re.fullmatch(r"0\.\d", number[0]) and prose[: number.start()].endswith("p = "):
            continue
        around = prose[max(0, number.start() - _BEFORE) : number.end() + _AFTER]
        yield prose.count("\n", 0, number.start()) + 1, number[0], " ".join(around.split())


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_number_in_prose_is_inserted_or_listed_with_a_reason(chapter):
    allowed = [entry["text"] for entry in (*ALLOWED["every"], *ALLOWED.get(chapter.stem, []))]
    loose = [
        f"{chapter.name}:{line}: {number!r} in “{around}”"
        for line, number, around in typed(chapter.read_text(encoding="utf-8"))
        if not any(text in around for text in allowed)
    ]
    assert not loose, "insert these from a computation, or list them in typed_numbers.toml:\n" + "\n".join(
        loose
    )


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_listed_number_is_still_there_and_has_a_reason(chapter):
    found = [around for _, _, around in typed(chapter.read_text(encoding="utf-8"))]
    for entry in ALLOWED.get(chapter.stem, []):
        assert entry["reason"].strip(), entry
        assert any(entry["text"] in around for around in found), f"{chapter.name}: {entry['text']!r} is gone"


def test_the_list_names_only_chapters():
    assert set(ALLOWED) - {"every"} <= {chapter.stem for chapter in CHAPTERS}


def test_a_measured_number_would_be_found():
    text = "---\nx: 1.5\n---\nIt fell by 0.8 nats.\n\n```{code-cell}\nlr = 0.1\n```\n"
    text += "It is $p = 0.3$, `0.4`, p = 0.5."
    assert [(line, number) for line, number, _ in typed(text)] == [(4, "0.8")]
    assert [number for _, number, _ in typed("It fell by 12 %, or 3 points, of 1,797 digits.")] == [
        "12 %",
        "3 points",
    ]
    assert list(typed("Ten of 300 digits {glue:text}`a-1.5`, [see](b.md#c-2.5), chapter 3.")) == []
