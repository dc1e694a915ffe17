import io
import itertools
import zlib

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex, to_rgb, to_rgba
from PIL import Image

from dropoutlab.figures import style
from dropoutlab.figures.style import (
    ARMS,
    FAINT,
    INK,
    PALETTE,
    WIDTH,
    Picture,
    house_style,
    label_ends,
    panels,
)

COLORS = [INK, *PALETTE]
GROUNDS = {"light": (1.0, 1.0, 1.0), "dark": (0.0, 0.0, 0.0)}


def contrast(color, ground):
    """Compute the contrast ratio of WCAG 2.2: relative luminances, each with 0.05 of ambient light."""

    def luminance(rgb):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    light, dark = sorted([luminance(color), luminance(ground)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


def decoded(picture):
    return np.asarray(Image.open(io.BytesIO(picture.png)).convert("RGBA"))


def chunks(png):
    """Read the PNG's chunks by hand: name and content, checksums compared."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    found, position = [], 8
    while position < len(png):
        length = int.from_bytes(png[position : position + 4], "big")
        name, content = png[position + 4 : position + 8], png[position + 8 : position + 8 + length]
        checksum = int.from_bytes(png[position + 8 + length : position + 12 + length], "big")
        assert checksum == zlib.crc32(name + content)
        found.append((name.decode(), content))
        position += 12 + length
    return found


def bars(width=4.0, height=2.0):
    """Draw one thick line in each colour."""
    figure, (axes,) = panels(width=width, height=height)
    for level, color in enumerate(COLORS):
        axes.axhline(level, color=color, linewidth=8)
    return Picture(figure)


# --- colours


@pytest.mark.parametrize("ground", GROUNDS.values(), ids=GROUNDS)
@pytest.mark.parametrize("color", [*COLORS, *(color for color, _ in ARMS.values())])
def test_every_colour_is_legible_on_white_and_on_black(color, ground):
    assert contrast(to_rgb(color), ground) >= 4.5


def test_the_contrast_formula_itself():
    assert contrast((0, 0, 0), (1, 1, 1)) == pytest.approx(21)
    assert contrast((1, 1, 1), (1, 1, 1)) == 1
    assert contrast(to_rgb("#777777"), (1, 1, 1)) == pytest.approx(4.48, abs=0.005)  # the classic near miss


def test_arms_have_a_colour_and_a_marker_of_their_own():
    colors, markers = zip(*ARMS.values(), strict=True)
    assert len(set(colors)) == len(set(markers)) == len(ARMS)
    assert set(colors) <= set(PALETTE)
    assert len(set(COLORS)) == len(COLORS)


def test_faint_is_ink_seen_through():
    assert to_rgb(FAINT) == to_rgb(INK)
    assert 0 < to_rgba(FAINT)[3] < 0.5


@pytest.mark.parametrize("ground", GROUNDS.values(), ids=GROUNDS)
def test_encoding_keeps_the_colours_legible(ground):
    pixels = decoded(bars()).reshape(-1, 4)
    opaque = pixels[pixels[:, 3] >= 250][:, :3].astype(int)
    for color in COLORS:
        wanted = np.array([round(255 * c) for c in to_rgb(color)])
        nearest = opaque[abs(opaque - wanted).max(axis=1).argmin()]
        assert abs(nearest - wanted).max() <= 2  # the palette of 128 may merge neighbouring shades
        assert contrast(nearest / 255, ground) >= 4.4  # two levels of 255 are worth 2 % of it


def test_encoding_loses_nothing_that_can_be_seen():
    figure, (axes,) = panels()
    for level, color in enumerate(COLORS):
        axes.plot([0, 1], [level, level + 0.7], color=color)
        axes.text(0.5, level, "The quick brown fox", color=color)
    full = io.BytesIO()
    figure.savefig(full, format="png", dpi=192, facecolor="none")
    expected = np.asarray(Image.open(full).convert("RGBA")).astype(float)
    pixels = decoded(Picture(figure))[: len(expected), : expected.shape[1]].astype(float)
    for ground in (0, 255):
        shown, wanted = (
            image[..., :3] * image[..., 3:] / 255 + ground * (1 - image[..., 3:] / 255)
            for image in (pixels, expected)
        )
        assert abs(shown - wanted).max() <= 32  # an eighth of the range, at single pixels of soft edges
        assert abs(shown - wanted).mean() <= 0.25


# --- pictures


def test_a_picture_is_a_valid_png_with_a_transparent_ground_and_no_metadata():
    picture = bars()
    image = Image.open(io.BytesIO(picture.png))
    image.verify()
    names = [name for name, _ in chunks(picture.png)]
    # No time, no software version: the bytes follow from the figure.
    assert sorted(set(names)) == ["IDAT", "IEND", "IHDR", "PLTE", "tRNS"]
    pixels = decoded(picture)
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners[:, 3] == 0).all()
    assert (pixels[..., 3] == 255).any()


@pytest.mark.parametrize(
    ("pixels_wide", "pixels_high"), [(400, 200), (401, 200), (400, 201), (667, 333), (1305, 615)]
)
def test_a_picture_has_two_pixels_for_each_css_pixel(pixels_wide, pixels_high):
    # Half a pixel more than wanted: matplotlib rounds down.
    picture = bars((pixels_wide + 0.5) / 192, (pixels_high + 0.5) / 192)
    pixels = decoded(picture)
    assert pixels.shape == (2 * picture.height, 2 * picture.width, 4)
    assert (picture.width, picture.height) == ((pixels_wide + 1) // 2, (pixels_high + 1) // 2)
    assert (pixels[pixels_high:, :, 3] == 0).all()  # what completes the last CSS pixel is empty
    assert (pixels[:, pixels_wide:, 3] == 0).all()


def test_the_default_width_is_that_of_the_text_column():
    figure, _ = panels()
    assert Picture(figure).width == round(WIDTH * 96) == 653


def test_a_picture_shows_itself_as_png_at_its_logical_size():
    picture = bars()
    data, metadata = picture._repr_mimebundle_(include=None, exclude=None)
    assert data == {"image/png": picture.png, "text/plain": f"<figure {picture.width}×{picture.height}>"}
    assert metadata == {"image/png": {"width": picture.width, "height": picture.height}}
    assert (picture.width, picture.height) == (384, 192)  # 4 by 2 inches of 96 CSS pixels


def test_the_same_figure_gives_the_same_bytes():
    assert bars().png == bars().png
    figure, (axes,) = panels()
    axes.plot([0, 1], [0, 1])
    assert Picture(figure).png == Picture(figure).png
    assert figure.dpi == panels()[0].dpi


def test_pyplot_and_the_settings_of_matplotlib_stay_as_they_were():
    before = dict(mpl.rcParams)
    figure, (axes,) = panels()
    label_ends(axes, [(0.5, 0.5, "half", INK)])
    Picture(figure)
    house_style(bars)()
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before


# --- the style of a figure


def test_panels_come_row_by_row_with_their_options():
    figure, axes = panels(3, rows=2, height=4, width=5, sharey=True)
    assert figure.get_size_inches().tolist() == [5, 4]
    assert [a.get_subplotspec().rowspan.start for a in axes] == [0, 0, 0, 1, 1, 1]
    assert [a.get_subplotspec().colspan.start for a in axes] == [0, 1, 2] * 2
    axes[0].set_ylim(0, 7)
    assert axes[5].get_ylim() == (0, 7)


def test_panels_wear_the_house_style_and_nothing_opaque():
    figure, (axes,) = panels()
    assert {to_rgba(figure.get_facecolor())[3], to_rgba(axes.get_facecolor())[3]} == {0}
    assert [side for side, spine in axes.spines.items() if spine.get_visible()] == ["left", "bottom"]
    parts = [axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels(), *axes.get_yticklabels()]
    assert {to_hex(part.get_color()) for part in parts} == {INK}
    assert to_hex(axes.spines["left"].get_edgecolor()) == INK


def test_house_style_holds_within_a_figure_function_and_ends_with_it():
    @house_style
    def draw(count, *, title):
        """Draw something."""
        figure, axes = panels(count)
        text = axes[0].text(0.5, 0.5, title)
        assert to_hex(text.get_color()) == INK
        assert mpl.rcParams["axes.spines.top"] is False
        return Picture(figure)

    assert isinstance(draw(2, title="x"), Picture)
    assert (draw.__name__, draw.__doc__) == ("draw", "Draw something.")
    assert mpl.rcParams["axes.spines.top"] is True


def test_house_style_ends_with_an_error_too():
    @house_style
    def fail():
        raise RuntimeError("no data")

    with pytest.raises(RuntimeError, match="no data"):
        fail()
    assert mpl.rcParams["axes.spines.top"] is True


# --- labels at the ends of lines


def labelled(ends, scale="linear"):
    figure, (axes,) = panels()
    axes.set_xlim(0, 10)
    axes.set_ylim(0.1, 1)
    axes.set_yscale(scale)
    label_ends(axes, ends)
    figure.canvas.draw()  # settles the layout once more, now with room for the labels
    return figure, axes


def centres(figure, axes):
    """Return the height of each label's middle above the figure's lower edge, in points."""
    anchors = [axes.transData.transform(text.xy)[1] * 72 / figure.dpi for text in axes.texts]
    return [anchor + text.xyann[1] for anchor, text in zip(anchors, axes.texts, strict=True)]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_labels_far_apart_stand_at_their_lines_in_their_colours(scale):
    ends = [(10, 0.2, "low", PALETTE[0]), (10, 0.9, "high", PALETTE[1]), (10, 0.5, "middle", PALETTE[2])]
    figure, axes = labelled(ends, scale)
    assert [text.get_text() for text in axes.texts] == ["low", "high", "middle"]
    assert [text.get_color() for text in axes.texts] == list(PALETTE[:3])
    wanted = [axes.transData.transform((x, y))[1] * 72 / figure.dpi for x, y, _, _ in ends]
    assert centres(figure, axes) == pytest.approx(wanted, abs=1e-6)
    for text, height in zip(axes.texts, wanted, strict=True):
        box = text.get_window_extent()
        # Centred on the outline of its letters, up to a pixel of 0.72 points at either end.
        assert (box.y0 + box.y1) / 2 * 72 / figure.dpi == pytest.approx(height, abs=1.5)


def test_labels_of_lines_that_meet_are_moved_apart_and_stay_in_the_figure():
    # The axes are about 200 points high for 0.9 units: 0.03 is less than 12 points, 0.2 is more.
    ends = [(10, y, f"a rather long label {i}", INK) for i, y in enumerate((0.5, 0.56, 0.53, 0.76))]
    figure, axes = labelled(ends)
    heights = centres(figure, axes)
    anchors = [axes.transData.transform((x, y))[1] * 72 / figure.dpi for x, y, _, _ in ends]
    middle = sum(anchors[:3]) / 3
    # Labels need room at the side only, but the last layout may shift the axes by a fraction of a point.
    assert heights == pytest.approx([middle - 12, middle + 12, middle, anchors[3]], abs=0.2)
    boxes = [text.get_window_extent() for text in axes.texts]
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert not any(a.overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_a_line_that_ends_outside_the_axes_is_labelled_too():
    figure, (axes,) = panels()
    axes.set_xlim(0, 1)
    empty = decoded(Picture(figure))[..., 3].astype(bool).sum()
    label_ends(axes, [(1.01, 0.5, "beyond", INK)])
    assert decoded(Picture(figure))[..., 3].astype(bool).sum() > empty + 100


@given(st.lists(st.floats(-20, 20), max_size=8), st.floats(0.1, 10))
@example([0.0, 5.0, 6.0], 4.0)  # the upper two, moved apart, reach the third
def test_spreading_keeps_order_and_centre_and_moves_no_more_than_it_must(heights, gap):
    placed = style._spread(heights, gap)
    order = sorted(range(len(heights)), key=heights.__getitem__)
    for low, high in itertools.pairwise(order):
        assert placed[high] - placed[low] >= gap - 1e-9
    assert sum(placed) == pytest.approx(sum(heights), abs=1e-8)
    # With x_i = placed_i - i·gap the least-squares answer is the isotonic regression of heights_i - i·gap.
    shifted = [heights[index] - rank * gap for rank, index in enumerate(order)]
    expected = [
        max(min(np.mean(shifted[a : b + 1]) for b in range(i, len(shifted))) for a in range(i + 1))
        for i in range(len(shifted))
    ]
    assert [placed[index] - rank * gap for rank, index in enumerate(order)] == pytest.approx(
        expected, abs=1e-8
    )


def test_no_label_is_cut_at_the_edge_of_the_picture():
    figure, (axes,) = panels()
    label_ends(axes, [(1, 0.5, "a rather long label", INK)])
    drawn = decoded(Picture(figure))[..., 3] > 0
    assert not drawn[:, -4:].any()
    assert drawn[:, -20:].any()  # the label itself
