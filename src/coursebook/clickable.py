"""A drawing of a network with one button per mask: readers step through all thinned networks.

It is HTML and CSS alone: no script, nothing fetched, arrow keys work as in any group of radio buttons. The
sentence that belongs to the chosen mask says in words what the drawing shows, and is announced by screen
readers. Where styles are taken away, as in a preview of the notebook, all sentences stand below one another.
"""

from collections.abc import Sequence
from html import escape

_WIDTH, _HEIGHT, _RADIUS = 300, 190, 15
_COLUMNS = (40, 150, 260)

# The theme puts a light ground behind HTML in the dark; this drawing takes its ink from the page instead.
_STYLE = """
.NAME { max-width: 40rem; }
.text_html:has(> .NAME) { background: none !important; color: inherit !important; padding: 0 !important; }
.NAME fieldset { display: flex; flex-wrap: wrap; gap: .3rem; border: 0; margin: 0 0 .5rem; padding: 0; }
.NAME legend { font-size: .92rem; padding: 0; margin-bottom: .3rem; float: none; width: auto; }
.NAME label { border: 1px solid currentcolor; border-radius: .3rem; padding: .1rem .5rem; margin: 0;
  font-family: monospace; cursor: pointer; }
.NAME input { position: absolute; opacity: 0; }
.NAME input:checked + label { background: #2375d5; border-color: #2375d5; color: #fff; }
.NAME input:focus-visible + label { outline: 3px solid #be580d; outline-offset: 2px; }
.NAME svg { width: 100%; max-width: 24rem; height: auto; display: block; color: inherit; }
.NAME .cross { visibility: hidden; }
@supports selector(:has(a)) { .NAME .said { display: none; } }
"""
_DROPPED = """
.NAME:has(input.drops-UNIT:checked) .unit-UNIT .links { visibility: hidden; }
.NAME:has(input.drops-UNIT:checked) .unit-UNIT circle { opacity: .25; }
.NAME:has(input.drops-UNIT:checked) .unit-UNIT .cross { visibility: visible; }
"""
_CHOSEN = ".NAME:has(#NAME-CODE:checked) .said-CODE { display: block; }\n"


class ByMask:
    """The drawing as Jupyter shows it; in plain text, its sentences."""

    def __init__(self, html: str, sentences: Sequence[str]) -> None:
        self.html = html
        self.sentences = list(sentences)

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return "\n".join(self.sentences)


def by_mask(
    masks: Sequence[Sequence[bool]],
    sentences: Sequence[str],
    *,
    name: str,
    legend: str,
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> ByMask:
    """Draw a network of three layers that shows whichever mask of its hidden units is chosen.

    Args:
        masks: the masks, in the order of the buttons; ``True`` where a unit is kept.
        sentences: one for each mask: what the drawing shows, in words.
        name: unique on the page, a word of letters and hyphens.
        legend: what the buttons choose.
        inputs: labels of the input units.
        outputs: labels of the output units.

    Returns:
        What a cell displays. The last mask is chosen at first.

    Raises:
        ValueError: there is no mask, masks differ in length, or there is not one sentence for each.

    Example:
        >>> shown = by_mask([[False], [True]], ["Nothing.", "All."], name="toy", legend="Mask",
        ...                 inputs=["x"], outputs=["A"])
        >>> shown
        0: Nothing.
        1: All.
    """
    units = {len(mask) for mask in masks}
    if len(units) != 1 or len(masks) != len(sentences):
        raise ValueError(
            f"need masks of one length and a sentence for each, got {len(masks)} masks of lengths "
            f"{sorted(units)} and {len(sentences)} sentences"
        )
    codes = ["".join("1" if kept else "0" for kept in mask) for mask in masks]
    numbers = range(1, units.pop() + 1)
    style = _STYLE
    style += "".join(_DROPPED.replace("UNIT", str(unit)) for unit in numbers)
    style += "".join(_CHOSEN.replace("CODE", code) for code in codes)
    said = "".join(
        f'<p class="said said-{code}"><strong>{code}.</strong> {escape(sentence)}</p>'
        for code, sentence in zip(codes, sentences, strict=True)
    )
    html = (
        f"<style>{style.replace('NAME', name)}</style>"
        f'<div class="{name}"><fieldset><legend>{escape(legend)}</legend>'
        f"{''.join(_button(name, code, code == codes[-1]) for code in codes)}</fieldset>"
        f'{_drawing(len(numbers), inputs, outputs)}<div aria-live="polite">{said}</div></div>'
    )
    return ByMask(html, [f"{code}: {sentence}" for code, sentence in zip(codes, sentences, strict=True)])


def _button(name: str, code: str, chosen: bool) -> str:
    drops = " ".join(f"drops-{unit}" for unit, bit in enumerate(code, start=1) if bit == "0")
    checked = " checked" if chosen else ""
    return (
        f'<span><input type="radio" name="{name}" id="{name}-{code}" class="{drops}"{checked}>'
        f'<label for="{name}-{code}">{code}</label></span>'
    )


def _drawing(units: int, inputs: Sequence[str], outputs: Sequence[str]) -> str:
    """The picture; hidden from screen readers, since the sentence below says the same."""
    left, middle, right = _COLUMNS
    ins, hidden, outs = (_heights(count) for count in (len(inputs), units, len(outputs)))
    groups = []
    for unit, y in enumerate(hidden, start=1):
        lines = "".join(f'<path d="M{left} {end:g}L{middle} {y:g}"/>' for end in ins)
        lines += "".join(f'<path d="M{middle} {y:g}L{right} {end:g}"/>' for end in outs)
        arm = 0.7 * _RADIUS
        cross = (
            f"M{middle - arm:g} {y - arm:g}l{2 * arm:g} {2 * arm:g}m0 {-2 * arm:g}l{-2 * arm:g} {2 * arm:g}"
        )
        groups.append(
            f'<g class="unit-{unit}"><g class="links" stroke="currentColor" stroke-width="1.2">{lines}</g>'
            f'<circle cx="{middle}" cy="{y:g}" r="{_RADIUS}" fill="#2375d5"/>'
            f'<path class="cross" d="{cross}" stroke="#be580d" stroke-width="4" fill="none"/></g>'
        )
    ends = "".join(
        f'<circle cx="{x}" cy="{y:g}" r="{_RADIUS}" fill="#757575"/>'
        f'<text x="{x}" y="{y + 4:g}" fill="#fff" font-size="12" text-anchor="middle">{escape(label)}</text>'
        for x, heights, labels in ((left, ins, inputs), (right, outs, outputs))
        for y, label in zip(heights, labels, strict=True)
    )
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true">{"".join(groups)}{ends}</svg>'


def _heights(count: int) -> list[float]:
    return [_HEIGHT * (i + 0.5) / count for i in range(count)]
