import pytest
import torch

from dropoutlab.data import Images, Split, Text
from dropoutlab.studies import material
from dropoutlab.studies.material import images, text

STAND_IN = {"data": "stand-in", "epochs": 2}


def test_digits_are_themselves_in_either_profile():
    assert images("digits", STAND_IN) is images("digits", {})
    assert images("digits", {}).image_shape == (8, 8)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_the_stand_in_of_large_images_is_the_digits_in_a_frame(name):
    large, small = images(name, STAND_IN), images("digits", {})
    assert (large.name, large.image_shape, large.classes) == (name, (28, 28), 10)
    picture = large.train.x[7].view(28, 28)
    assert torch.equal(picture[2:26:3, 2:26:3], small.train.x[7].view(8, 8))
    assert torch.equal(picture[4:26:3, 4:26:3], small.train.x[7].view(8, 8))
    frame = picture.clone()
    frame[2:26, 2:26] = 0
    assert frame.abs().sum() == 0
    assert torch.equal(large.test.y, small.test.y)
    assert images(name, STAND_IN) is large


def test_the_stand_in_of_a_text_is_fixed_and_has_words():
    stand_in = text("shakespeare", STAND_IN)
    whole = stand_in.decode(torch.cat([stand_in.train, stand_in.test]))
    assert set(whole.split()) == set(material._WORDS.split())
    assert stand_in.vocabulary == tuple(sorted(set(whole)))
    assert len(stand_in.train) == len(whole) * 9 // 10
    material._random_words.cache_clear()
    again = text("shakespeare", STAND_IN)
    assert torch.equal(again.train, stand_in.train)


def test_the_full_profile_loads_the_real_data(monkeypatch):
    real = {
        "mnist": Images("mnist", *[Split(torch.zeros(1, 784), torch.tensor([0]))] * 2, (28, 28), 10),
        "shakespeare": Text("shakespeare", torch.tensor([0]), torch.tensor([0]), ("a",)),
    }
    loads = []
    monkeypatch.setattr(material, "load", lambda name: loads.append(name) or real[name])
    for cached in (material._images, material._text):
        cached.cache_clear()
    for _ in range(2):
        assert images("mnist", {"epochs": 20}) is real["mnist"]
        assert text("shakespeare", {}) is real["shakespeare"]
    assert loads == ["mnist", "shakespeare"]
    for cached in (material._images, material._text):
        cached.cache_clear()


@pytest.mark.parametrize("profile", [{}, STAND_IN])
def test_images_and_text_are_not_mixed_up(profile):
    with pytest.raises(ValueError, match=r"'shakespeare' is a text; use text\('shakespeare', profile\)"):
        images("shakespeare", profile)
    with pytest.raises(ValueError, match=r"'mnist' is no text; use images\('mnist', profile\)"):
        text("mnist", profile)
    with pytest.raises(ValueError, match="unknown dataset 'weather'"):
        images("weather", profile)
