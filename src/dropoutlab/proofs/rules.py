"""What the frameworks' dropout layers do, settled by calling them."""

import torch
from torch import nn

from dropoutlab.proofs.result import Proof
from dropoutlab.seeds import streams

__all__ = [
    "eval_applies_the_scaling",
    "eval_is_deterministic_everywhere",
    "forgotten_eval_is_stochastic",
    "p_is_the_probability_of_dropping",
    "p_is_the_probability_of_keeping",
    "scale_is_one_over_q",
    "scaled_twice_is_right",
    "scaling_happens_at_test_time",
    "scaling_happens_in_training",
]


def p_is_the_probability_of_dropping() -> Proof:
    """Settle what ``nn.Dropout(p)`` means at the two values where chance plays no part."""
    x = torch.ones(64)
    none, everything = nn.Dropout(0.0)(x), nn.Dropout(1.0)(x)
    return Proof(
        holds=bool((none == 1).all() and (everything == 0).all()),
        value=float((everything == 0).double().mean()),
        unit="fraction",
        says="nn.Dropout(0.0) keeps every element and nn.Dropout(1.0) drops every one: its p drops.",
    )


def p_is_the_probability_of_keeping() -> Proof:
    """Settle the opposite reading at the same two values."""
    dropped = p_is_the_probability_of_dropping()
    return Proof(not dropped.holds, 1 - dropped.value, "fraction", dropped.says)


def scaling_happens_in_training() -> Proof:
    """Look for the scale factor: in the values of training, or in those of evaluation."""
    x, layer = torch.ones(1000), nn.Dropout(0.2)
    with torch.random.fork_rng():
        torch.manual_seed(1000)
        trained = layer.train()(x)
    survivors = trained[trained != 0]
    scaled_in_training = bool((survivors == torch.tensor(1.0) / 0.8).all())
    untouched_in_evaluation = bool((layer.eval()(x) == 1).all())
    return Proof(
        holds=scaled_in_training and untouched_in_evaluation,
        value=survivors[0].item(),
        unit="1",
        says="With p = 0.2 every survivor of a training pass is 1/0.8 times its input, "
        "and evaluation returns the input.",
    )


def scaling_happens_at_test_time() -> Proof:
    """Settle the opposite statement in the same way."""
    training = scaling_happens_in_training()
    return Proof(not training.holds, training.value, training.unit, training.says)


def scaled_twice_is_right() -> Proof:
    """Multiply the weights of a network trained with inverted dropout by q as well."""
    p = 0.5
    h, w = torch.rand(2, 64, generator=streams(1000).data, dtype=torch.float64)
    in_training = ((1 - p) * h / (1 - p) * w).sum()  # the expectation over masks
    in_evaluation = (h * ((1 - p) * w)).sum()
    ratio = (in_evaluation / in_training).item()
    return Proof(
        holds=abs(ratio - 1) < 1e-12,
        value=ratio,
        unit="1",
        says="Doing both makes the next layer's input q times what it was in training.",
    )


def eval_applies_the_scaling() -> Proof:
    """Look for a change that evaluation makes to its input."""
    x = torch.ones(8)
    same = all(nn.Dropout(p).eval()(x) is x for p in (0.1, 0.5, 0.9))
    return Proof(not same, float(same), "1", "In evaluation the layer returns the very tensor it was given.")


def scale_is_one_over_q() -> Proof:
    """Check the factor on the survivors against 1/(1 − p), in float64."""
    worst = 0.0
    with torch.random.fork_rng():
        torch.manual_seed(1000)
        for p in (0.1, 0.3, 0.7):
            y = nn.Dropout(p)(torch.ones(1000, dtype=torch.float64))
            worst = max(worst, (y[y != 0] - 1 / (1 - p)).abs().max().item())
    # Forming 1 - p and dividing by it round once each: at most 2 units in the last place of 1/(1 - p) < 4.
    return Proof(
        worst <= 2 * 2**-51, worst, "1", "The survivors equal 1/(1 − p) to the last digits of float64."
    )


def forgotten_eval_is_stochastic() -> Proof:
    """Predict twice in training mode."""
    x, layer = torch.ones(1000), nn.Dropout(0.5)
    with torch.random.fork_rng():
        torch.manual_seed(1000)
        differ = (layer(x) != layer(x)).double().mean().item()
    return Proof(differ > 0, differ, "fraction", "Two passes in training mode differ in many elements.")


def eval_is_deterministic_everywhere() -> Proof:
    """Look for a network that stays random after ``eval()``."""

    class Forgetful(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.dropout(x, 0.5)  # its ``training`` argument is True unless told otherwise

    x, net = torch.ones(1000), Forgetful().eval()
    with torch.random.fork_rng():
        torch.manual_seed(1000)
        differ = (net(x) != net(x)).double().mean().item()
    return Proof(
        holds=differ == 0,
        value=differ,
        unit="fraction",
        says="A module that calls F.dropout(x, p) without training=self.training stays random after eval().",
    )
