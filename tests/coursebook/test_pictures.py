"""Pictures come in the smaller file, look the same, and come when a reader is near."""

import pytest
from PIL import Image, ImageChops, ImageDraw

from coursebook.pictures import Pictures, with_lazy_pictures


@pytest.fixture
def book(tmp_path):
    """A book with a drawing for two of its pages, and one that is not of its pages."""
    drawing = Image.new("RGBA", (400, 300))
    for radius in range(5, 150, 4):
        box = (200 - radius, 150 - radius, 200 + radius, 150 + radius)
        ImageDraw.Draw(drawing).ellipse(box, outline="teal")
    (tmp_path / "chapters").mkdir()
    (tmp_path / "_images" / "cards").mkdir(parents=True)
    for name in ("a drawing.png", "cards/one.png"):
        drawing.quantize(64).save(tmp_path / "_images" / name)
    return tmp_path


def test_a_picture_becomes_a_smaller_file_with_the_same_pixels(book):
    path = book / "_images" / "a drawing.png"
    size = path.stat().st_size
    with Image.open(path) as picture:
        before = picture.convert("RGBA")
    pictures = Pictures(book)
    page = '<a href="../_images/a%20drawing.png"><img alt="x.png" src="../_images/a%20drawing.png"></a>'
    found = pictures.in_small_files(page, book / "chapters")
    assert found == page.replace("drawing.png", "drawing.webp")
    top = pictures.in_small_files('<img src="_images/a%20drawing.png">', book)
    assert top == '<img src="_images/a%20drawing.webp">'
    pictures.finish()

    small = path.with_suffix(".webp")
    assert not path.exists()
    assert small.stat().st_size < size
    with Image.open(small) as picture:
        after = picture.convert("RGBA")
    for ground in ("white", "black"):
        on_ground = [Image.new("RGBA", after.size, ground) for _ in (before, after)]
        for image, picture in zip(on_ground, (before, after), strict=True):
            image.alpha_composite(picture)
        assert ImageChops.difference(*on_ground).getbbox(alpha_only=False) is None
    # A page that was not written again leads to the new file already.
    assert Pictures(book).in_small_files(found, book / "chapters") == found


@pytest.mark.parametrize(
    "address",
    [
        "_images/cards/one.png",
        "https://127.0.0.1/_images/a%20drawing.png",
        "_images/gone.png",
        "_images/a%20drawing.svg",
    ],
)
def test_other_addresses_stay_as_they_are(book, address):
    pictures = Pictures(book)
    assert pictures.in_small_files(f'<img src="{address}">', book) == f'<img src="{address}">'
    pictures.finish()
    assert sorted(path.name for path in book.rglob("*.png")) == ["a drawing.png", "one.png"]


def test_pictures_of_the_text_wait_until_a_reader_is_near(tmp_path):
    page = '<img src="logo"><article><img src="a"><img loading="eager" src="b">'
    assert with_lazy_pictures(page, tmp_path) == (
        '<img src="logo"><article><img loading="lazy" src="a"><img loading="eager" src="b">'
    )


def test_the_place_of_a_picture_is_kept(tmp_path):
    (tmp_path / "chapters").mkdir()
    Image.new("P", (30, 20)).save(tmp_path / "a picture.png")
    rest = 'src="../a%20picture.png" style="width: 15px;" />'
    kept = with_lazy_pictures(f"<article><img {rest}", tmp_path / "chapters")
    assert kept == f'<article><img loading="lazy" width="30" height="20" {rest}'
    sized = with_lazy_pictures(f'<article><img width="9" {rest}', tmp_path / "chapters")
    assert sized == f'<article><img loading="lazy" width="9" {rest}'
