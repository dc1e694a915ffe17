"""What a check returns: whether it passed, and what was found, written for the learner."""

from dataclasses import dataclass, field

from dropoutlab.grading.codes import CODES


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Args:
        code: stable kebab-case word of `dropoutlab.grading.codes.CODES`.
        message: what was seen, with the numbers.

    Raises:
        ValueError: the code is not registered.
    """

    code: str
    message: str

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"a finding's code must be one of dropoutlab.grading.codes, got {self.code!r}")


@dataclass(frozen=True)
class Report:
    """The result of `check`. It shows itself in a notebook and in a terminal, and is true if all is well.

    Args:
        passed: whether nothing was found.
        findings: what was found, the likeliest cause first.
        exercise: name of the exercise.
        printed: the beginning of what the learner's code printed.

    Example:
        >>> Report(True, [], "inverted_dropout")
        inverted_dropout: passed
        >>> bool(Report(False, [Finding("no-scaling", "Survivors keep their value.")], "inverted_dropout"))
        False
    """

    passed: bool
    findings: list[Finding] = field(default_factory=list)
    exercise: str = ""
    printed: str = ""

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        lines = [f"{self.exercise}: {'passed' if self.passed else 'not yet'}"]
        for finding in self.findings:
            code = CODES[finding.code]
            lines += ["", f"[{finding.code}] {code.meaning}", f"  Seen: {finding.message}"]
            lines.append(f"  Think: {code.think}")
        if self.printed:
            lines += ["", "Your code printed:", *(f"  {line}" for line in self.printed.splitlines())]
        return "\n".join(lines)

    __str__ = __repr__

    def _repr_markdown_(self) -> str:
        lines = [f"**{self.exercise}: {'passed' if self.passed else 'not yet'}**"]
        for finding in self.findings:
            code = CODES[finding.code]
            lines += [f"- **{finding.code}**: {code.meaning}", f"  - Seen: {finding.message}"]
            lines.append(f"  - Think: {code.think}")
        text = "\n\n".join([lines[0], "\n".join(lines[1:])] if self.findings else lines)
        if self.printed:
            # Indented, so that nothing a learner prints is taken for Markdown or HTML.
            text += "\n\nYour code printed:\n\n" + "\n".join(
                f"    {line}" for line in self.printed.splitlines()
            )
        return text


def quoted(text: object, length: int = 160) -> str:
    r"""Return a text on one line, shortened, as code: it may come from a learner and hold anything.

    Example:
        >>> quoted("two\nlines and `ticks`")
        "`two lines and 'ticks'`"
    """
    line = " ".join(str(text).replace("`", "'").split())
    return f"`{line if len(line) <= length else line[: length - 1] + '…'}`"
