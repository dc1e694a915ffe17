"""Masks on the state of a recurrent network: renewed at every step, tied along the sequence, or none."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from dropoutlab.recurrent import CharLSTM
from dropoutlab.seeds import streams
from dropoutlab.studies.criteria import difference
from dropoutlab.studies.material import text
from dropoutlab.studies.protocol import Job, Metric, Study
from dropoutlab.texts import TextRun, character_loss, draw_text, fit_text
from dropoutlab.training import Recipe


def run(job: Job) -> list[dict[str, float | int | str]]:
    """Train one arm at each of its rates, choose rate and pass on validation, and read the test text once."""
    [arm] = job.arms
    [seed] = job.seeds
    profile, settings = job.profile, job.settings[arm]
    found = {p: _train(settings, p, profile, seed) for p in settings["rates"]}
    chosen = min(found, key=lambda p: min(found[p][1].validation))
    model, result, passage = found[chosen]
    context = profile["context"]
    final = character_loss(model, passage, context)
    model.load_state_dict(result.best)
    lowest = min(result.validation)
    return [
        {
            "arm": arm,
            "seed": seed,
            "nll": character_loss(model, text("shakespeare", profile).test[: profile["test"]], context),
            "validation": lowest,
            "train_final": final,
            "rate": chosen,
            "passes": result.epochs[result.validation.index(lowest)],
            "validation_at_half": min(found[0.5][1].validation) if 0.5 in found else float("nan"),
        }
    ]


def _train(
    settings: Mapping[str, Any], p: float, profile: Mapping[str, Any], seed: int
) -> tuple[CharLSTM, TextRun, Tensor]:
    s = streams(seed)
    data = text("shakespeare", profile)
    passage, validation = draw_text(data.train, profile["train"], profile["validation"], generator=s.data)
    model = CharLSTM(
        len(data.vocabulary), 32, profile["hidden"], init=s.init, p=p, where=settings["where"],
        tied=settings["tied"], masks=s.masks,
    )  # fmt: skip
    recipe = Recipe(
        profile["passes"], batch_size=32, lr=0.01, optimiser="adam", evaluate_every=profile["evaluate_every"]
    )
    return (
        model,
        fit_text(model, passage, profile["context"], recipe, order=s.order, validation=validation),
        passage,
    )


_RATES = [0.15, 0.3, 0.5]

STUDY = Study(
    name="recurrent-masks",
    title="Masks in a recurrent network",
    question="Does dropout on the state of an LSTM need masks that stay the same along the sequence?",
    protocol="""
Each seed draws a passage of 10,000 characters from the training text of Shakespeare, and the 5,000 that
follow it for validation. An LSTM of 128 units predicts the next character from windows of 32. It is trained
by Adam for 60 passes (batches of 32 windows, gradient clipped at 1, rate rising to 0.01 over the first
tenth of the steps and falling to zero). Length, width and learning rate were chosen on pilot seed 0, so
that without dropout it overfits after a third of the passes.

Every arm with masks uses one p wherever it has them. "Between layers" masks the inputs and the outputs at
every step afresh, and leaves the state alone (Zaremba et al., 2014). "Renewed" and "tied" mask inputs,
state and outputs, and differ in one thing: whether masks are redrawn at every step or stay the same along a
sequence (Gal and Ghahramani, 2016, arXiv:1512.05287). For each seed p is chosen among 0.15, 0.3 and 0.5 on
validation. The pass is chosen on validation too, in all arms. The first 50,000 test characters are read
once, by the network so chosen.

The published experiment predicts words of the Penn Treebank with two layers of up to 1,500 units, and
reports perplexity. Ours is smaller by far, and its memory shorter. No margin: the claim names a direction.
""",
    arms={
        "none": {"where": "everywhere", "tied": False, "rates": [0.0]},
        "between layers": {"where": "between layers", "tied": False, "rates": _RATES},
        "renewed": {"where": "everywhere", "tied": False, "rates": _RATES},
        "tied": {"where": "everywhere", "tied": True, "rates": _RATES},
    },
    metrics={
        "nll": Metric("test loss per character, at the rate and the pass that validation chose", "nats"),
        "validation": Metric("validation loss per character, at that rate and pass", "nats"),
        "train_final": Metric("training loss per character after the last pass, at that rate", "nats"),
        "rate": Metric("the chosen p", "1"),
        "passes": Metric("the chosen pass", "epochs"),
        "validation_at_half": Metric("lowest validation loss at p = 0.5", "nats", optional=True),
    },
    criteria=(
        difference(
            "tied-beats-renewed",
            "Masks tied along the sequence give a lower test loss than masks renewed at every step",
            metric="nll",
            arm="tied",
            against="renewed",
            expect="lower",
        ),
        difference(
            "tied-beats-renewed-at-half",
            "At p = 0.5 tied masks give a lower validation loss than renewed masks",
            metric="validation_at_half",
            arm="tied",
            against="renewed",
            expect="lower",
        ),
        difference(
            "renewed-helps",
            "Dropout as in a feed-forward network, renewed at every step, works for an LSTM too",
            metric="nll",
            arm="renewed",
            against="none",
            expect="lower",
        ),
        difference(
            "tied-helps",
            "Dropout with tied masks lowers the test loss of an LSTM",
            metric="nll",
            arm="tied",
            against="none",
            expect="lower",
        ),
        difference(
            "state-masks-add",
            "Tied masks on the state too give a lower test loss than masks between layers alone",
            metric="nll",
            arm="tied",
            against="between layers",
            expect="lower",
        ),
        difference(
            "state-must-be-spared",
            "Renewed masks on the state too give a higher test loss than masks between layers alone",
            metric="nll",
            arm="renewed",
            against="between layers",
            expect="higher",
        ),
    ),
    run=run,
    full={
        "train": 10_000, "validation": 5_000, "test": 50_000, "hidden": 128, "context": 32, "passes": 60,
        "evaluate_every": 5,
    },
    smoke={
        "data": "stand-in", "train": 400, "validation": 200, "test": 200, "hidden": 8, "context": 8,
        "passes": 2, "evaluate_every": 1, "seeds": 2,
    },
    datasets=("shakespeare",),
    minutes=10,
)  # fmt: skip
