"""Verify the answers on recall cards: each ``check`` is computed and compared with what the card says.

Checks run in a Python process that has the lab; no reader's machine ever runs one.
"""

import importlib
import math
import pkgutil
import re
from typing import Any

from coursebook.card_schema import NUMERIC
from coursebook.cards import Card

_LAB_MODULE = re.compile(r"\bdropoutlab\.\w+")


def verify_card(card: Card) -> None:
    """Run the card's ``snippet``, then compute its checks and compare them with what the card says.

    The check of a number card must give its ``answer``: ``|check - answer| <= tolerance``. The check of
    another card must give ``True`` itself, and the check of an option whether it is correct. A card
    without checks passes: it is for its readers to judge.

    Raises:
        CardError: a check raises, or gives something else; names the file, the card and both values.
    """
    code = [card.snippet, card.check, *(option.check for option in card.options)]
    if not any(code):
        return
    names = namespace("\n".join(filter(None, code)))
    if card.snippet:
        try:
            exec(card.snippet, names)  # noqa: S102  (the book's own cards, reviewed like its code)
        except Exception as error:
            raise card.error(f"field 'snippet': raises {type(error).__name__}: {error}") from error
    for option in card.options:
        if option.check is not None:
            found = _evaluate(card, option.check, names)
            if found is not option.correct:
                raise card.error(
                    f"option {option.text!r}: its check {option.check} gives {found!r}, "
                    f"but the card says {option.correct}"
                )
    if card.check is None:
        return
    value = _evaluate(card, card.check, names)
    if card.kind in NUMERIC:
        _compare(card, value)
    elif value is not True:
        raise card.error(
            f"field 'check': {card.check} gives {value!r}, it must give True; bool(...) makes it one"
        )


def _evaluate(card: Card, check: str, names: dict[str, Any]) -> object:
    try:
        return eval(check, dict(names))  # noqa: S307  (as above; a copy, so that no check sees another)
    except Exception as error:
        raise card.error(f"field 'check': {check} raises {type(error).__name__}: {error}") from error


def _compare(card: Card, value: object) -> None:
    try:
        number = float(value)  # type: ignore[arg-type]  # NumPy and torch scalars convert themselves
    except (TypeError, ValueError) as error:
        raise card.error(f"field 'check': {card.check} gives {value!r}, which is not one number") from error
    assert isinstance(card.answer, int | float)
    if not abs(number - card.answer) <= card.tolerance:  # so that NaN fails
        raise card.error(
            f"field 'answer': is {card.answer!r}, but {card.check} gives {number!r}, "
            f"which is not within {card.tolerance!r} of it"
        )


def namespace(code: str = "") -> dict[str, Any]:
    """The names that a check may use: ``math``, ``np``, ``scipy``, ``torch`` and ``dropoutlab``.

    Args:
        code: the check; the modules of the lab that it names, as in ``dropoutlab.moments``, are imported.
    """
    names: dict[str, Any] = {"math": math}
    for name, module in (
        ("np", "numpy"),
        ("scipy", "scipy"),
        ("torch", "torch"),
        ("dropoutlab", "dropoutlab"),
    ):
        names[name] = importlib.import_module(module)
    known = {module.name for module in pkgutil.iter_modules(names["dropoutlab"].__path__, "dropoutlab.")}
    for name in sorted(known.intersection(_LAB_MODULE.findall(code))):
        importlib.import_module(name)
    importlib.import_module("scipy.stats")
    return names
