"""What the fields of a recall card must be: one rule per field, and for each breach a line and a sentence."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml

NUMERIC = ("predict", "numeric")
KINDS = ("recall", *NUMERIC, "choice", "cloze")

LINE = "__line__"  # where a mapping begins, kept among its fields while they are checked

Rule = Callable[[object], str | None]  # what is wrong with a value, or None
Problem = tuple[int, str]  # a line of the file, and what is wrong there

_SLUG = r"[a-z0-9]+(?:-[a-z0-9]+)*"


class Loader(yaml.SafeLoader):
    """Notes the line of each mapping, and refuses a field given twice, of which YAML would keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = True) -> dict[Any, Any]:
        """The fields of a mapping, with its line under :data:`LINE`."""
        fields: dict[Any, Any] = {LINE: node.start_mark.line + 1}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=deep)
            if not isinstance(key, str) or key in fields:
                problem = f"field {key!r} is given twice" if isinstance(key, str) else f"{key!r} is no field"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            fields[key] = self.construct_object(value_node, deep=True)
        return fields


def find_problems(fields: dict[str, Any]) -> Iterator[Problem]:
    """Everything wrong with the fields of one card."""
    kind = fields.get("kind")
    if kind not in KINDS:
        # What else the card needs depends on its kind.
        common = {name: value for name, value in fields.items() if name in _COMMON or name == LINE}
        return _find(common, _COMMON, {})
    return _find(fields, _COMMON | _REQUIRED[kind], _OPTIONAL[kind])


def _find(fields: dict[str, Any], required: dict[str, Rule], optional: dict[str, Rule]) -> Iterator[Problem]:
    line = fields[LINE]
    rules = required | optional
    for name in required:
        if name not in fields:
            yield line, f"field {name!r}: is missing"
    for name, value in fields.items():
        if name not in rules and value is None:
            yield line, f"text is cut before {name!r}: within braces, text with a comma must be in quotes"
        elif name not in rules and name != LINE:
            yield line, f"field {name!r}: is unknown here; there are {', '.join(rules)}"
        elif name in rules and (problem := rules[name](value)):
            yield line, f"field {name!r}: {problem}"


def _text(value: object) -> str | None:
    if not isinstance(value, str):
        return f"must be text, got {value!r}; put it in quotes"
    return None if value.strip() else "must not be empty"


def _number(value: object) -> str | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf"):
        return None
    return f"must be a number, got {value!r}; YAML reads 0.001 and 1.0e-3 as numbers, but 1e-3 as text"


def _tolerance(value: object) -> str | None:
    return _number(value) or (None if float(str(value)) >= 0 else f"must not be negative, got {value!r}")


def _boolean(value: object) -> str | None:
    return None if isinstance(value, bool) else f"must be true or false, got {value!r}"


def _kind(value: object) -> str | None:
    return None if value in KINDS else f"must be one of {', '.join(KINDS)}, got {value!r}"


def _code(mode: str, what: str) -> Rule:
    def rule(value: object) -> str | None:
        problem = _text(value)
        if problem is None:
            try:
                compile(str(value), "<check>", mode)
            except SyntaxError as error:
                return f"must be {what}, got {value!r}: {error.msg}"
        return problem

    return rule


_expression = _code("eval", "a Python expression")
_statements = _code("exec", "Python statements")


def _like(pattern: str, example: str) -> Rule:
    def rule(value: object) -> str | None:
        matched = isinstance(value, str) and re.fullmatch(pattern, value)
        return None if matched else f"must look like {example}, got {value!r}"

    return rule


def _blanks(value: object) -> str | None:
    """One text for each blank; a list of texts where several will do, the first of which is shown."""
    if not isinstance(value, list) or not value:
        return f"must be a list of texts, one for each blank, got {value!r}"
    texts = [text for item in value for text in (item if isinstance(item, list) and item else [item])]
    return next((problem for text in texts if (problem := _text(text))), None)


def _items(value: object, required: dict[str, Rule], optional: dict[str, Rule]) -> str | None:
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        return f"must be a list whose items have {' and '.join(required)}, got {value!r}"
    problems = (problem for item in value for problem in _find(item, required, optional))
    return next((f"line {line}: {problem}" for line, problem in problems), None)


def _misconceptions(answer: Rule) -> Rule:
    return lambda value: _items(value, {"answer": answer, "says": _text}, {})


def _options(value: object) -> str | None:
    problem = _items(value, {"text": _text, "says": _text}, {"correct": _boolean, "check": _expression})
    if problem or not isinstance(value, list):
        return problem
    right = [item.get("correct", False) for item in value]
    return None if any(right) and not all(right) else "must hold a correct option and one that is not"


_COMMON: dict[str, Rule] = {
    "id": _like(_SLUG, "scaling-count-dropped"),
    "kind": _kind,
    "objective": _like(rf"{_SLUG}/{_SLUG}", "scaling/expectation"),
    "section": _like(rf"(?:chapters|exercises)/{_SLUG}\.md#[\w-]+", "chapters/04-scaling.md#a-heading"),
    "question": _text,
    "hint": _text,
    "why": _text,
}
_NUMBER: dict[str, Rule] = {"answer": _number, "tolerance": _tolerance, "check": _expression}
_CODE: dict[str, Rule] = {"snippet": _statements}
_CHECKED: dict[str, Rule] = _CODE | {"check": _expression}
_REQUIRED: dict[str, dict[str, Rule]] = {
    "recall": {"answer": _text},
    "predict": _NUMBER,
    "numeric": _NUMBER,
    "choice": {"options": _options},
    "cloze": {"answer": _blanks},
}
_OPTIONAL: dict[str, dict[str, Rule]] = {
    "recall": _CHECKED | {"misconceptions": _misconceptions(_text)},
    "predict": _CODE | {"misconceptions": _misconceptions(_number)},
    "numeric": _CODE | {"misconceptions": _misconceptions(_number)},
    "choice": _CHECKED,
    "cloze": _CHECKED | {"misconceptions": _misconceptions(_text)},
}
