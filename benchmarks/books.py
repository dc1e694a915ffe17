"""Building the book: from nothing, after an edit, and with more pages."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import jupytext
import yaml
from record import Record, placeholder
from timing import Bench, slope

from coursebook.build import JUPYTER_BOOK

REPOSITORY = Path(__file__).parents[1]
SITE = Path("src") / "coursebook" / "static" / "site"
CHAPTER = """---
jupytext:
  formats: md:myst,ipynb
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A chapter
"""
SENTENCE = "This sentence was added to measure a build."


def measure(bench: Bench, record: Record) -> None:
    """Time builds of throw-away copies; the repository itself is left alone."""
    with tempfile.TemporaryDirectory(prefix="book-") as folder:
        make = small_book if bench.quick else copy_book
        clean, edited, plain = (make(Path(folder) / name) for name in ("clean", "edited", "plain"))
        build(edited)()
        repeats = 1 if bench.quick else 3
        ways = {"clean": build(clean), "edit": build(edited), "limit": jupyter_book(plain)}
        before = {"clean": forget(clean), "edit": add_sentence(edited), "limit": forget(plain)}
        found = bench.medians("build", ways, repeats=repeats, before=before, warm=False)
        check_edit(edited)
        limit = {"limit": found["limit"], "limit_is": "Jupyter Book alone"}
        record.add("book_build_s", found["clean"], ours=found["clean"], **limit)
        record.add("prose_edit_rebuild_s", found["edit"], ours=found["edit"], **limit)

        factors = (1, 2) if bench.quick else (1, 2, 4)
        copies = {factor: make(Path(folder) / f"times-{factor}") for factor in factors}
        pages = [multiply_chapters(copy, factor) for factor, copy in copies.items()]
        growing = {str(factor): jupyter_book(copy) for factor, copy in copies.items()}
        again = {str(factor): forget(copy) for factor, copy in copies.items()}
        times = bench.medians("growth of builds", growing, repeats=repeats, before=again, warm=False)
        record.grow("book_pages", pages, list(times.values()), exponent=slope(pages, list(times.values())))


def copy_book(target: Path) -> Path:
    """Copy all that a build reads, with a record of benchmarks that says nothing in the place of this one."""
    target.mkdir()
    for path in REPOSITORY.iterdir():
        if path.name.startswith(".") or path.name in ("_build", "tests"):
            continue
        if path.is_dir():
            shutil.copytree(path, target / path.name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy(path, target)
    (target / "benchmarks" / "latest.json").write_text(json.dumps(placeholder().as_json()), encoding="utf-8")
    return target


def small_book(target: Path) -> Path:
    """Write a book of two pages under the configuration of this one, to try the measurement itself."""
    shutil.copytree(REPOSITORY / SITE, target / SITE)
    shutil.copy(REPOSITORY / "_config.yml", target)
    (target / "references.bib").touch()
    (target / "intro.md").write_text("# A small book\n", encoding="utf-8")
    toc = {"format": "jb-book", "root": "intro", "parts": [{"chapters": [{"file": "chapters/01-a"}]}]}
    (target / "_toc.yml").write_text(yaml.safe_dump(toc), encoding="utf-8")
    chapter = target / "chapters" / "01-a.md"
    chapter.parent.mkdir()
    chapter.write_text(CHAPTER, encoding="utf-8")
    jupytext.write(jupytext.read(chapter), chapter.with_suffix(".ipynb"))
    return target


def build(root: Path) -> Callable[[], None]:
    """Make a function that builds a book as `make book` does."""
    return _command(["-c", "from coursebook.cli import app; app()", "build", f"--root={root}"])


def jupyter_book(root: Path) -> Callable[[], None]:
    """Make a function that builds a book with Jupyter Book and nothing else, and bears its warnings."""
    return _command(["-c", JUPYTER_BOOK, "build", str(root), "--all", "--quiet"])


def forget(root: Path) -> Callable[[], None]:
    """Make a function that removes what was built."""
    return lambda: shutil.rmtree(root / "_build", ignore_errors=True)


def add_sentence(root: Path) -> Callable[[], None]:
    """Make a function that adds a sentence to the first chapter."""

    def add() -> None:
        with first_chapter(root).open("a", encoding="utf-8") as file:
            file.write(f"\n{SENTENCE}\n")

    return add


def check_edit(root: Path) -> None:
    """Fail if the edited page does not show the sentence; executing anything makes a build fail already."""
    page = root / "_build" / "html" / first_chapter(root).relative_to(root).with_suffix(".html")
    if SENTENCE not in page.read_text(encoding="utf-8"):
        raise RuntimeError(f"{page.name} was not built again after its source changed")


def first_chapter(root: Path) -> Path:
    """The source of the first chapter."""
    return min((root / "chapters").glob("*.md"))


def multiply_chapters(root: Path, factor: int) -> int:
    """List every chapter ``factor`` times, as copies under other names, and return the number of pages."""
    path = root / "_toc.yml"
    toc = yaml.safe_load(path.read_text(encoding="utf-8"))
    for part in toc["parts"]:
        files = [entry["file"] for entry in part["chapters"]]
        for chapter in (file for file in files if file.startswith("chapters/")):
            for again in range(1, factor):
                name = f"{chapter}-{again}"
                shutil.copy(root / f"{chapter}.ipynb", root / f"{name}.ipynb")
                part["chapters"].append({"file": name})
    path.write_text(yaml.safe_dump(toc, sort_keys=False), encoding="utf-8")
    return 1 + sum(len(part["chapters"]) for part in toc["parts"])


def _command(arguments: list[str]) -> Callable[[], None]:
    def run() -> None:
        done = subprocess.run(  # noqa: S603  (own command)
            [sys.executable, *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")

    return run
