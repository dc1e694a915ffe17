"""Wide tables become several on paper."""

import pytest
from docutils import nodes

from coursebook.paper_tables import split_tables


def table(columns, *, span=0):
    """A table of one head and one row, its cells named by row and column."""
    group = nodes.tgroup("", *(nodes.colspec() for _ in range(columns)), cols=columns)
    for part, kind in (("head", nodes.thead), ("row", nodes.tbody)):
        cells = [nodes.entry("", nodes.paragraph("", f"{part}{place}")) for place in range(columns)]
        cells[0]["morecols"] = span
        group += kind("", nodes.row("", *cells))
    return nodes.container("", nodes.table("", nodes.title("", "Rates"), group, ids=["rates"]))


def test_each_part_has_the_first_column_and_no_value_is_lost():
    page = table(8)
    split_tables(page, widest=4)
    rows = [[entry.astext() for entry in row.findall(nodes.entry)] for row in page.findall(nodes.row)]
    heads = [row for row in rows if row[0] == "head0"]
    assert heads == [
        ["head0", "head1", "head2", "head3"],
        ["head0", "head4", "head5", "head6"],
        ["head0", "head7"],
    ]
    assert [cell for row in rows if row[0] == "row0" for cell in row[1:]] == [
        f"row{place}" for place in range(1, 8)
    ]
    for part in page.findall(nodes.table):
        assert len(list(part.findall(nodes.colspec))) == len(next(part.findall(nodes.row)).children)


def test_one_part_keeps_the_name_and_the_title():
    page = table(8)
    split_tables(page, widest=4)
    first, *others = page.findall(nodes.table)
    assert first["ids"] == ["rates"]
    assert first.next_node(nodes.title).astext() == "Rates"
    assert not [part for part in others if part["ids"] or part.next_node(nodes.title)]


@pytest.mark.parametrize("page", [table(4), table(8, span=1)], ids=["narrow", "spanning"])
def test_what_fits_or_spans_stays(page):
    split_tables(page, widest=4)
    assert len(list(page.findall(nodes.table))) == 1
