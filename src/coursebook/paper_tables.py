"""A wide table becomes several with the same first column where nothing scrolls: on paper, in an e-book."""

from docutils import nodes

WIDEST = 7  # columns of numbers with their intervals that A4 has room for


def split_tables(tree: nodes.Node, widest: int = WIDEST) -> None:
    """Split each table that has more columns than the paper has room for; its rows stay as they are.

    A table in which a cell spans columns is left alone.

    Args:
        tree: pages with all references resolved; changed in place.
        widest: columns that one table may have, the first included.
    """
    for table in list(tree.findall(nodes.table)):
        columns = len(list(table.findall(nodes.colspec)))
        spans = any(entry.get("morecols") for entry in table.findall(nodes.entry))
        if columns > widest and not spans:
            parts = -(-(columns - 1) // (widest - 1))
            each = -(-(columns - 1) // parts)  # of equal width, as nearly as may be
            starts = range(1, columns, each)
            table.parent.replace(table, [_columns(table, start, start + each) for start in starts])


def _columns(table: nodes.table, start: int, end: int) -> nodes.table:
    """Copy a table with its first column and those from ``start`` to before ``end``."""
    part = table.deepcopy()
    if start > 1:
        part["ids"] = []
        for title in list(part.findall(nodes.title)):
            title.parent.remove(title)
    for group in (*part.findall(nodes.row), *part.findall(nodes.tgroup)):
        kind = nodes.entry if isinstance(group, nodes.row) else nodes.colspec
        cells = [child for child in group.children if isinstance(child, kind)]
        for place, cell in enumerate(cells):
            if place and not start <= place < end:
                group.remove(cell)
    return part
