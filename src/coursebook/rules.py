"""Rules of criteria as a page shows them: averages as averages, and one line for each of several parts.

A rule is part of what was registered, so its own words stay as they are; only the page writes them shorter.
"""

import re
from itertools import groupby

_PART = re.compile(
    r"whole (?P<interval>\d+ % t-interval) of (?P<what>.+?)(?P<paired>, paired by seed,)? "
    r"(?P<where>(?:below|above|between) [^,;]+)"
)
_TERM = re.compile(r"(?P<sign>[+−]) (?P<weight>[\d.]+)·(?P<reading>.+?)(?= [+−] [\d.]+·|$)")


def shown(rule: str) -> str:
    """Write a rule as the rest of a definition in MyST Markdown.

    Example:
        >>> shown("whole 95 % t-interval of + 1·e(a) − 0.5·e(b) − 0.5·e(c), paired by seed, below 0")
        'Rule: whole 95 % t-interval of e(a) − mean(e(b), e(c)), paired by seed, below 0.'
        >>> print(shown("whole 95 % t-interval of x below 1; and whole 95 % t-interval of y above 2"))
        Rule: whole 95 % t-interval of each
          - x below 1
          - y above 2
    """
    parts = rule.split("; and ")
    found = [_PART.fullmatch(part) for part in parts]
    read = [(each["interval"], each["paired"]) for each in found if each]
    if len(parts) == 1 or len(read) < len(parts) or len(set(read)) > 1:
        return f"Rule: {'; and '.join(_PART.sub(_shorter, part) for part in parts)}."
    interval, paired = read[0]
    lines = [f"{averaged(each['what'])} {each['where']}" for each in found if each]
    return "\n".join([f"Rule: whole {interval}{paired or ''} of each", *(f"  - {line}" for line in lines)])


def _shorter(part: re.Match[str]) -> str:
    return part[0].replace(part["what"], averaged(part["what"]))


def averaged(combination: str) -> str:
    """Write a weighted sum without its weights where they only say that some readings are averaged.

    Example:
        >>> averaged("+ 0.5·e(a) + 0.5·e(b) − 1·e(c)")
        'mean(e(a), e(b)) − e(c)'
        >>> averaged("+ 1·e(a) − 1·e(b) − 1·e(c) + 1·e(d)")
        'e(a) − e(b) − e(c) + e(d)'
        >>> averaged("e(a) − e(b)")
        'e(a) − e(b)'
    """
    terms = list(_TERM.finditer(combination))
    if " ".join(term[0] for term in terms) != combination:
        return combination
    text = ""
    for (sign, weight), group in groupby(terms, key=lambda term: (term["sign"], term["weight"])):
        readings = [term["reading"] for term in group]
        if len(readings) > 1 and abs(float(weight) * len(readings) - 1) < 1e-9:
            text += f" {sign} mean({', '.join(readings)})"
        else:
            factor = "" if float(weight) == 1 else f"{weight}·"
            text += "".join(f" {sign} {factor}{reading}" for reading in readings)
    return text.removeprefix(" + ").strip()
