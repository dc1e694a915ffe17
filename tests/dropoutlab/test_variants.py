import pytest
from torch import nn

from dropoutlab import comparison
from dropoutlab.comparison import Arm, Task
from dropoutlab.models import mlp
from dropoutlab.training import Recipe
from dropoutlab.variants import at_the_end

TASK, RECIPE, SEEDS = Task(60), Recipe(epochs=2, lr=0.05), [1000, 1001]


def masked(s):
    return mlp((64, 12, 10), init=s.init, masks=s.masks, p=0.3)


def test_a_variant_is_trained_as_an_arm_of_a_comparison_is():
    ours = at_the_end({"dropout": masked}, TASK, RECIPE, SEEDS)
    theirs = comparison.at_end(comparison.curves([Arm("dropout", p=0.3)], TASK, RECIPE, SEEDS, hidden=(12,)))
    theirs = theirs[theirs.split == "test"].sort_values("seed")
    assert ours.error.tolist() == theirs.error.tolist()
    assert ours.loss.tolist() == theirs.loss.tolist()


def test_variants_are_paired():
    def plain(s):
        return mlp((64, 12, 10), init=s.init, activation=nn.Tanh)

    table = at_the_end({"one": plain, "same": plain, "other": masked}, TASK, RECIPE, SEEDS)
    differences, _ = comparison.effect(table, "one", "same")
    assert (differences == 0).all()
    losses = table.pivot(index="seed", columns="arm", values="loss")
    assert (losses["other"] != losses["one"]).all()


@pytest.mark.parametrize(("builds", "seeds"), [({}, [1]), ({"a": masked}, []), ({"a": masked}, [1, 1])])
def test_nothing_to_compare_is_refused(builds, seeds):
    with pytest.raises(ValueError, match="at least one variant, and at least one seed"):
        at_the_end(builds, TASK, RECIPE, seeds)
