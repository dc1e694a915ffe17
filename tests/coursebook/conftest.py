"""A tiny book in a temporary folder, written by each test and executed once where outputs are needed."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from click.testing import Result
from typer.testing import CliRunner

from coursebook.cli import app
from coursebook.pairs import HEADER, Pair

CONFIG = """title: A tiny book
author: Its tests
only_build_toc_files: true
execute:
  execute_notebooks: "off"
exclude_patterns: ["chapters/*.md", "exercises/*.md"]
"""


@dataclass(frozen=True)
class TinyBook:
    """A repository with the rooms that the book's machinery looks at."""

    root: Path
    CONFIG: ClassVar = CONFIG

    def pair(self, name: str) -> Pair:
        return Pair(self.root, name)

    def page(self, name: str, *code: str, prose: str = "Some prose.", header: str = HEADER) -> Pair:
        """Write a page: a title, a sentence, and one cell per piece of code."""
        cells = "".join(f"\n```{{code-cell}} ipython3\n{text}\n```\n" for text in code)
        pair = self.pair(name)
        pair.source.parent.mkdir(exist_ok=True)
        pair.source.write_text(f"{header}\n\n# Page {name}\n\n{prose}\n{cells}", encoding="utf-8")
        return pair

    def configure(self, *names: str, config: str = CONFIG) -> None:
        """Write the table of contents with these pages, and the configuration."""
        files = "".join(f"- file: {name}\n" for name in names)
        toc = f"format: jb-book\nroot: intro\nchapters:\n{files}"
        (self.root / "_toc.yml").write_text(toc, encoding="utf-8")
        (self.root / "_config.yml").write_text(config, encoding="utf-8")
        (self.root / "intro.md").write_text("# A tiny book\n", encoding="utf-8")

    def edit(self, path: Path, old: str, new: str) -> None:
        """Replace a text that must be there."""
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def alter(self, pair: Pair, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the stored notebook behind the machinery's back."""
        content = json.loads(pair.notebook.read_text(encoding="utf-8"))
        change(content)
        text = json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        pair.notebook.write_text(text, encoding="utf-8")

    def run(self, command: str, *arguments: object) -> Result:
        """Call ``coursebook`` in this book."""
        return CliRunner().invoke(app, [command, f"--root={self.root}", *map(str, arguments)])


@pytest.fixture
def book(tmp_path: Path) -> TinyBook:
    """An empty book with a lab and pinned versions."""
    book = TinyBook(tmp_path / "a tiny book")  # a path with spaces, as readers have
    lab = book.root / "src" / "dropoutlab"
    lab.mkdir(parents=True)
    (lab / "masks.py").write_text("q = 0.7\n", encoding="utf-8")
    (book.root / "constraints.txt").write_text("numpy==2.0\n", encoding="utf-8")
    return book


@pytest.fixture(scope="session")
def _executed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    book = TinyBook(tmp_path_factory.mktemp("executed"))
    (book.root / "constraints.txt").write_text("numpy==2.0\n", encoding="utf-8")
    book.page("chapters/01-sum", "total = 40 + 2", "print(total)\ntotal / 10", prose="An old sentence.")
    book.configure("chapters/01-sum")
    result = book.run("execute")
    assert result.exit_code == 0, result.output
    return book.root


@pytest.fixture
def executed(_executed_once: Path, tmp_path: Path) -> TinyBook:
    """A book whose one chapter, ``chapters/01-sum``, was executed: its outputs are ``42`` and ``4.2``."""
    return TinyBook(Path(shutil.copytree(_executed_once, tmp_path / "executed book")))
