"""The table of the built pages: written page by page, shown when the tests end."""

import csv
import json
import time
from collections import defaultdict
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "_build" / "pages"
TABLE = FOLDER.with_suffix(".csv")
COLUMNS = ("requests", "elsewhere", "kB", "console", "axe", "too wide", "links", "pictures", "seconds")
# A few pages are read as a whole; of these columns the largest number counts, of the others the sum.
LARGEST = ("requests", "kB")


def store(page, values):
    """Keep what was found on a page; several processes may do so at the same time, for different things."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    name = f"{page.replace('/', '~')}.{'-'.join(values)[:20].replace(' ', '')}.json"
    (FOLDER / name).write_text(json.dumps({"page": page} | values), encoding="utf-8")


def collect(since):
    """The lines of the pages that were looked at since some time, and the CSV file with all of them."""
    rows = defaultdict(dict)
    for path in sorted(FOLDER.glob("*.json")):
        if path.stat().st_mtime >= since:
            values = json.loads(path.read_text(encoding="utf-8"))
            rows[values.pop("page")] |= values
    looked_at = {page: rows[page] for page in sorted(rows) if "kB" in rows[page]}
    if looked_at:
        with TABLE.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, ("page", *COLUMNS), restval="")
            writer.writeheader()
            writer.writerows({"page": page} | values for page, values in looked_at.items())
    return looked_at


def summary(rows):
    """A line for each folder of the book and one for all of it, ready to print.

    Example:
        >>> print(*summary({"a/b.html": {"kB": 9.5, "axe": 1}, "c.html": {"kB": 8.0, "axe": 0}}), sep="\\n")
        pages            requests elsewhere       kB  console      axe too wide    links pictures  seconds
        (top)          1        -         -      8.0        -        0        -        -        -        -
        a              1        -         -      9.5        -        1        -        -        -        -
        all            2        -         -      9.5        -        1        -        -        -        -
    """
    groups = defaultdict(list)
    for page, values in rows.items():
        groups[page.rpartition("/")[0] or "(top)"].append(values)
    yield f"{'pages':<14}{'':>2}" + "".join(f" {column:>{_width(column)}}" for column in COLUMNS)
    for name, lines in [*sorted(groups.items()), ("all", list(rows.values()))]:
        yield f"{name:<14}{len(lines):>2}" + "".join(_cell(column, lines) for column in COLUMNS)


def _cell(column, lines):
    values = [values[column] for values in lines if column in values]
    text = "-" if not values else max(values) if column in LARGEST else sum(values)
    return f" {text:>{_width(column)}.1f}" if isinstance(text, float) else f" {text:>{_width(column)}}"


def _width(column):
    return max(8, len(column))


STARTED = time.time()
