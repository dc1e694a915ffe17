"""Verify the answers on recall cards: each ``check`` is computed and compared with what the card says."""

import importlib
import math
import pkgutil
from typing import Any

from coursebook.card_schema import NUMERIC
from coursebook.cards import Card


def verify_card(card: Card) -> None:
    """Compute the card's ``check``; it must give the ``answer`` within ``tolerance``, or ``True``.

    A number card is right when ``|check - answer| <= tolerance``. A card of another kind may have a check
    too, which must give ``True`` itself. A card without a check passes: it is for its readers to judge.

    Raises:
        CardError: the check raises, or gives something else; names the file, the card and both values.
    """
    if card.check is None:
        return
    try:
        value = eval(card.check, namespace())  # noqa: S307  (the book's own cards, reviewed like its code)
    except Exception as error:
        raise card.error(f"field 'check': {card.check} raises {type(error).__name__}: {error}") from error
    if card.kind in NUMERIC:
        _compare(card, value)
    elif value is not True:
        raise card.error(
            f"field 'check': {card.check} gives {value!r}, it must give True; bool(...) makes it one"
        )


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


def namespace() -> dict[str, Any]:
    """The names that a check may use: ``math``, ``np``, ``scipy``, ``torch`` and every module of the lab."""
    names: dict[str, Any] = {"math": math}
    for name, module in (
        ("np", "numpy"),
        ("scipy", "scipy"),
        ("torch", "torch"),
        ("dropoutlab", "dropoutlab"),
    ):
        names[name] = importlib.import_module(module)
    for lab_module in pkgutil.iter_modules(names["dropoutlab"].__path__, "dropoutlab."):
        importlib.import_module(lab_module.name)
    importlib.import_module("scipy.stats")
    return names
