"""Which noise: Bernoulli, Gaussian, on connections, and masks shared by a batch."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dropoutlab.layers import DropConnectLinear, Dropout, GaussianDropout, SpatialDropout
from dropoutlab.seeds import Streams
from dropoutlab.studies.criteria import difference, equivalence
from dropoutlab.studies.protocol import Job, Row, Study
from dropoutlab.studies.trials import READINGS, Build, Trial, adam, perceptron, run_arms

P = 0.5
MARGIN = 0.003


def run(job: Job) -> list[Row]:
    """Train the networks of one law."""
    recipe = adam(job.profile["epochs"])

    def trial(seed: int, settings: Mapping[str, Any]) -> Trial:
        return Trial(seed, BUILDS[settings["law"]], recipe)

    return run_arms(job, trial, dataset="mnist")


class SharedDropout(SpatialDropout):
    """Dropout with one mask for all examples of a batch: each unit is a feature map of B places."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply it to ``x`` of shape ``(B, D)``."""
        return super().forward(x.T.unsqueeze(0)).squeeze(0).T


def with_layer(layer: type[GaussianDropout | SharedDropout]) -> Build:
    """Build the network with another layer where `Dropout` would be."""

    def build(s: Streams) -> nn.Module:
        net = perceptron((256, 256), p=P)(s)
        return nn.Sequential(*(layer(P, generator=s.masks) if isinstance(m, Dropout) else m for m in net))

    return build


def with_connections(s: Streams) -> nn.Module:
    """Build the network with noise on the connections out of the hidden units."""
    first, *rest = perceptron((256, 256))(s)
    return nn.Sequential(first, *(connect(m, s) if isinstance(m, nn.Linear) else m for m in rest))


def connect(linear: nn.Linear, s: Streams) -> DropConnectLinear:
    """Give a linear layer a mask on its connections, one for each batch."""
    sizes = linear.in_features, linear.out_features
    # Built without memory first: its own initialisation would draw from torch's default generator.
    layer = DropConnectLinear(*sizes, P, per_example=False, generator=s.masks, device="meta")
    layer = layer.to_empty(device="cpu")
    with torch.no_grad():
        layer.weight.copy_(linear.weight)
        layer.bias.copy_(linear.bias)
    return layer


BUILDS: dict[str, Build] = {
    "none": perceptron((256, 256)),
    "bernoulli": perceptron((256, 256), p=P),
    "gaussian": with_layer(GaussianDropout),
    "bernoulli-shared": with_layer(SharedDropout),
    "connections-shared": with_connections,
}

STUDY = Study(
    name="noise-laws",
    title="Other laws of noise",
    question="Does it matter which law the noise on the hidden units follows?",
    protocol="""
Each seed draws 2,000 training images of MNIST and reads the error on all 10,000 test images, once, after the
last epoch. The network has two hidden layers of 256 ReLU units and is trained for 60 epochs with Adam
(learning rate 0.001, batches of 64), for all laws alike; pilot seeds 0 and 1 showed that this trains all.

Five arms: no noise; Bernoulli dropout with p = 0.5; Gaussian dropout, which multiplies by N(1, 1), noise of
the same mean and variance; DropConnect with p = 0.5 on the connections out of the hidden units; and
Bernoulli dropout with one mask for the whole batch. Wan et al. (2013, ICML) draw the connections for each
example, which costs too much here, so our DropConnect has one mask per batch; the fifth arm tells what
sharing alone does. In evaluation all laws use the mean weights, where Wan et al. sample from a Gaussian.

Srivastava et al. (2014, JMLR 15:1929, section 10) report 1.08 % error for Bernoulli and 0.95 % for Gaussian
noise on MNIST. "The same" means within ±0.3 percentage points here, about a third of what dropout gained in
pilots; twenty seeds make the interval narrow enough for that.
""",
    arms={
        "none": {"law": "none"},
        "Bernoulli": {"law": "bernoulli"},
        "Gaussian": {"law": "gaussian"},
        "Bernoulli, one mask per batch": {"law": "bernoulli-shared"},
        "DropConnect, one mask per batch": {"law": "connections-shared"},
    },
    metrics=READINGS,
    criteria=(
        difference(
            "bernoulli-helps",
            "Bernoulli dropout lowers the test error",
            metric="error",
            arm="Bernoulli",
            against="none",
            expect="lower",
        ),
        difference(
            "gaussian-helps",
            "Gaussian dropout lowers the test error",
            metric="error",
            arm="Gaussian",
            against="none",
            expect="lower",
        ),
        equivalence(
            "gaussian-equals-bernoulli",
            "Gaussian and Bernoulli dropout of equal variance give the same test error",
            metric="error",
            arm="Gaussian",
            against="Bernoulli",
            margin=MARGIN,
        ),
        difference(
            "gaussian-beats-bernoulli",
            "Gaussian dropout gives a lower test error than Bernoulli dropout of equal variance",
            metric="error",
            arm="Gaussian",
            against="Bernoulli",
            expect="lower",
        ),
        difference(
            "dropconnect-helps",
            "DropConnect lowers the test error",
            metric="error",
            arm="DropConnect, one mask per batch",
            against="none",
            expect="lower",
        ),
        equivalence(
            "dropconnect-equals-dropout",
            "DropConnect with one mask per batch gives the test error of dropout with a mask per example",
            metric="error",
            arm="DropConnect, one mask per batch",
            against="Bernoulli",
            margin=MARGIN,
        ),
        equivalence(
            "dropconnect-equals-shared-dropout",
            "With one mask per batch for both, DropConnect and dropout give the same test error",
            metric="error",
            arm="DropConnect, one mask per batch",
            against="Bernoulli, one mask per batch",
            margin=MARGIN,
        ),
        difference(
            "shared-masks-hurt",
            "One mask for the whole batch gives a higher test error than a mask for each example",
            metric="error",
            arm="Bernoulli, one mask per batch",
            against="Bernoulli",
            expect="higher",
        ),
    ),
    run=run,
    full={"train": 2000, "epochs": 60},
    smoke={"data": "stand-in", "train": 100, "epochs": 2, "seeds": 2},
    seeds=20,
    group=5,
    datasets=("mnist",),
    minutes=6,
)
