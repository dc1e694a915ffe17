import pytest
import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

from dropoutlab.language import Block, CharTransformer, SelfAttention
from dropoutlab.layers import Dropout

F64 = {"dtype": torch.float64}


@pytest.fixture
def model(seeded):
    return CharTransformer(9, 6, 8, 2, 2, init=seeded(1), p=0.3, masks=seeded(2), **F64)


@pytest.fixture
def codes(seeded):
    return torch.randint(0, 9, (4, 6), generator=seeded(3))


def test_attention_is_that_of_pytorch(seeded):
    layer = SelfAttention(12, 3, init=seeded(1), **F64)
    x = torch.randn(2, 5, 12, generator=seeded(2), **F64)
    query, key, value = layer.project(x).split(12, dim=-1)
    heads = [part.view(2, 5, 3, 4).transpose(1, 2) for part in (query, key, value)]
    expected = scaled_dot_product_attention(*heads, is_causal=True).transpose(1, 2).reshape(2, 5, 12)
    torch.testing.assert_close(layer(x), layer.merge(expected), rtol=0, atol=1e-12)


def test_dropout_of_attention_masks_the_weights_after_the_softmax(seeded):
    layer = SelfAttention(4, 1, init=seeded(1), p=0.25, masks=seeded(2), **F64)
    mask = torch.ones(1, 1, 3, 3, dtype=torch.bool)
    mask[0, 0, 2, 1] = False
    layer.drop.freeze(mask)
    x = torch.randn(1, 3, 4, generator=seeded(3), **F64)
    found = layer(x)
    query, key, value = layer.project(x)[0].split(4, dim=-1)
    weights = torch.zeros(3, 3, **F64)
    for t in range(3):
        weights[t, : t + 1] = (key[: t + 1] @ query[t] / 2).softmax(0)
    weights[2, 1] = 0
    torch.testing.assert_close(found[0], layer.merge(weights / 0.75 @ value), rtol=0, atol=1e-12)


def test_what_comes_later_does_not_matter(model, codes):
    changed = codes.clone()
    changed[:, 4:] = (codes[:, 4:] + 1) % 9
    before, after = model.eval()(codes), model(changed)
    torch.testing.assert_close(before[:, :4], after[:, :4], rtol=0, atol=1e-12)
    assert not torch.allclose(before[:, 4:], after[:, 4:])


def test_the_order_of_what_came_before_matters(model, codes):
    swapped = codes.clone()
    swapped[:, [0, 1]] = torch.tensor([[1, 2]])
    codes[:, [0, 1]] = torch.tensor([[2, 1]])
    assert not torch.allclose(model.eval()(codes)[:, -1], model(swapped)[:, -1])


def test_every_place_of_dropout_has_the_same_rate_and_generator(model, codes):
    drops = [module for module in model.modules() if isinstance(module, Dropout)]
    assert len(drops) == 1 + 2 * 3  # embeddings; in each block the weights and two branches
    assert {drop.p for drop in drops} == {0.3}
    assert len({drop.generator for drop in drops}) == 1
    model(codes)
    shapes = [tuple(drop.mask.shape) for drop in drops]
    assert shapes == [(4, 6, 8)] + 2 * [(4, 2, 6, 6), (4, 6, 8), (4, 6, 8)]


def test_evaluation_is_the_network_without_dropout(model, codes, seeded):
    plain = CharTransformer(9, 6, 8, 2, 2, init=seeded(1), **F64)
    assert torch.equal(model.eval()(codes), plain(codes))
    assert not torch.equal(model.train()(codes), plain(codes))


def test_a_block_adds_to_its_shortcut(seeded):
    block = Block(8, 2, init=seeded(1), **F64)
    x = torch.randn(2, 3, 8, generator=seeded(2), **F64)
    with torch.no_grad():
        for layer in (block.attend[1].merge, block.think[3]):
            layer.weight.zero_()
            layer.bias.zero_()
    assert torch.equal(block(x), x)


def test_nothing_comes_from_the_global_generator(seeded, codes):
    state = torch.get_rng_state()
    made = [CharTransformer(9, 6, 8, 2, 1, init=seeded(1), p=0.2, masks=seeded(2)) for _ in range(2)]
    assert torch.equal(made[0](codes), made[1](codes))
    assert torch.equal(torch.get_rng_state(), state)
    assert {parameter.dtype for parameter in made[0].parameters()} == {torch.float32}


def test_normalisation_has_the_dtype_of_the_rest(model):
    norms = [module for module in model.modules() if isinstance(module, nn.LayerNorm)]
    assert len(norms) == 5
    assert {norm.weight.dtype for norm in norms} == {torch.float64}


def test_short_sequences_are_seen_and_long_ones_refused(model, codes):
    torch.testing.assert_close(model.eval()(codes[:, :3]), model(codes)[:, :3], rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="at most 6 characters, got 7"):
        model(torch.zeros(1, 7, dtype=torch.int64))


def test_no_block_at_all_is_a_table_of_characters_and_places(seeded, codes):
    model = CharTransformer(9, 6, 8, 2, 0, init=seeded(1), **F64)
    expected = model.read(model.norm(model.characters[codes] + model.places))
    assert torch.equal(model(codes), expected)


def test_bad_settings_are_refused(seeded):
    for width, heads in ((8, 3), (8, 0), (0, 2)):
        with pytest.raises(ValueError, match="multiple of the heads"):
            SelfAttention(width, heads, init=seeded(1))
    for sizes in ((0, 6, 8, 2, 1), (9, 0, 8, 2, 1), (9, 6, 0, 2, 1), (9, 6, 8, 2, -1)):
        with pytest.raises(ValueError, match="at least 1 and no negative depth"):
            CharTransformer(*sizes, init=seeded(1))
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\], got 1.5"):
        CharTransformer(9, 6, 8, 2, 1, init=seeded(1), p=1.5)
