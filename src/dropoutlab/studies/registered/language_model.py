"""Dropout in a small transformer that sees much text once, or little text many times."""

from dropoutlab.language import CharTransformer
from dropoutlab.seeds import streams
from dropoutlab.studies.criteria import difference, interaction
from dropoutlab.studies.material import text
from dropoutlab.studies.protocol import Job, Metric, Study
from dropoutlab.texts import character_loss, draw_text, fit_text
from dropoutlab.training import Recipe


def run(job: Job) -> list[dict[str, float | int | str]]:
    """Train one arm, and read the test text after the last pass and after the pass that validation chose."""
    [arm] = job.arms
    [seed] = job.seeds
    profile, settings = job.profile, job.settings[arm]
    s, data, context = streams(seed), text("shakespeare", profile), profile["context"]
    passes = profile["passes"] if settings["many"] else 1
    # So many characters that all arms take the same number of steps; the last one is only predicted.
    length = profile["steps"] // passes * profile["batch"] * context + 1
    passage, validation = draw_text(data.train, length, profile["validation"], generator=s.data)
    model = CharTransformer(
        len(data.vocabulary), context, profile["width"], 2, profile["depth"], init=s.init, p=settings["p"],
        masks=s.masks,
    )  # fmt: skip
    recipe = Recipe(
        passes, batch_size=profile["batch"], lr=0.005, optimiser="adam", evaluate_every=max(1, passes // 10)
    )
    result = fit_text(model, passage, context, recipe, order=s.order, validation=validation)
    test = data.test[: profile["test"]]
    final = {
        "nll": character_loss(model, test, context),
        "train_nll": character_loss(model, passage[: profile["test"]], context),
        "validation_nll": result.validation[-1],
    }
    model.load_state_dict(result.best)
    lowest = min(result.validation)
    return [
        {
            "arm": arm,
            "seed": seed,
            **final,
            "nll_early": character_loss(model, test, context),
            "passes": result.epochs[result.validation.index(lowest)],
        }
    ]


STUDY = Study(
    name="language-model",
    title="Dropout in a language model, text seen once or many times",
    question="Does a transformer need dropout, or only one that sees the same text again and again?",
    protocol="""
A causal transformer of 240,000 parameters (two blocks, width 96, two heads) predicts the next character of
Shakespeare from a context of 64. All arms take 900 steps of 16 windows. "Once" means one pass over a
passage of 921,601 characters; "many times" means 30 passes over 30,721 characters. Dropout acts at its
usual places with one p: on the embeddings, the attention weights and both branches of each block (Vaswani
et al., 2017, arXiv:1706.03762).

Adam, gradient clipped at 1, rate rising to 0.005 over the first tenth of the steps and falling to zero; the
rate was chosen on pilot seeds 0 and 1, and is the same for all arms. Each seed draws its passage, and the
10,000 characters after it for validation. Arms of one seed and regime share passage, initial weights and
order. The first 50,000 test characters are read after the last pass. Stopping early is judged by its own
criterion: there the pass with the lowest validation loss counts, read every third pass.

Liu, Bauer and Manning (2025, arXiv:2505.24788) pretrain BERT and Pythia on far more text; their claim is
the first arm's, ours a miniature. 900 steps are few, so p = 0.3 has not finished learning in either regime.
No margins: the claims name directions.
""",
    arms={
        "once, none": {"many": False, "p": 0.0},
        "once, 0.1": {"many": False, "p": 0.1},
        "once, 0.3": {"many": False, "p": 0.3},
        "many times, none": {"many": True, "p": 0.0},
        "many times, 0.1": {"many": True, "p": 0.1},
        "many times, 0.3": {"many": True, "p": 0.3},
    },
    metrics={
        "nll": Metric("test loss per character after the last pass", "nats"),
        "nll_early": Metric("test loss per character at the pass that validation chose", "nats"),
        "train_nll": Metric("training loss per character after the last pass, 50,000 characters", "nats"),
        "validation_nll": Metric("validation loss per character after the last pass", "nats"),
        "passes": Metric("the pass that validation chose", "epochs"),
    },
    criteria=(
        difference(
            "once-is-better-without",
            "Text seen once is learnt better without dropout than with p = 0.1",
            metric="nll",
            arm="once, 0.1",
            against="once, none",
            expect="higher",
        ),
        difference(
            "many-times-is-better-with",
            "Text seen 30 times is learnt better with p = 0.1 than without",
            metric="nll",
            arm="many times, 0.1",
            against="many times, none",
            expect="lower",
        ),
        difference(
            "early-stopping-does-not-replace-it",
            "p = 0.1 lowers the test loss of text seen 30 times even if each stops at its best pass",
            metric="nll_early",
            arm="many times, 0.1",
            against="many times, none",
            expect="lower",
        ),
        interaction(
            "repetition-decides",
            "What p = 0.1 does to the test loss is worse for text seen once than for text seen 30 times",
            metric="nll",
            first=("once, 0.1", "once, none"),
            second=("many times, 0.1", "many times, none"),
            expect="higher",
        ),
        difference(
            "more-is-worse-once",
            "For text seen once p = 0.3 is worse than p = 0.1",
            metric="nll",
            arm="once, 0.3",
            against="once, 0.1",
            expect="higher",
        ),
    ),
    run=run,
    full={
        "steps": 900, "batch": 16, "context": 64, "passes": 30, "width": 96, "depth": 2, "validation": 10_000,
        "test": 50_000,
    },
    smoke={
        "data": "stand-in", "steps": 6, "batch": 4, "context": 16, "passes": 3, "width": 8, "depth": 1,
        "validation": 100, "test": 200, "seeds": 2,
    },
    datasets=("shakespeare",),
    minutes=16,
)  # fmt: skip
