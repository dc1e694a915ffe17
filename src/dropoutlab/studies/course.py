"""What the curves of a training run say, as columns of a study."""

from dropoutlab.curves import first_epoch
from dropoutlab.studies.protocol import Metric
from dropoutlab.training import History

FITTED = 0.01  # training error
SETTLED = 0.001  # above the lowest test error

_NEVER = "; one more than the last if it never is"

# What `course` returns, for the declaration of a study.
COURSE = {
    "error_stopped": Metric("test error at the epoch of the lowest validation NLL", "fraction"),
    "error_half": Metric("test error after half the epochs", "fraction"),
    "error_rise": Metric("test error after the last epoch minus the lowest of all epochs", "fraction"),
    "nll_ratio": Metric("test NLL after the last epoch divided by the lowest of all epochs", "1"),
    "nll_epoch": Metric("epoch of the lowest test NLL", "epochs"),
    "epochs_fitted": Metric(f"first epoch at which the training error is at most 1 %{_NEVER}", "epochs"),
    "epochs_settled": Metric("first epoch within 0.1 points of the lowest test error", "epochs"),
    "epochs_matched": Metric(
        f"first epoch at which the test error is at the lowest of the reference{_NEVER}", "epochs"
    ),
}


def course(history: History, reference: History) -> dict[str, float]:
    """Condense curves on training, validation and test examples, evaluated after every epoch.

    Args:
        history: curves of the run.
        reference: curves of the run that it is compared with, e.g. the one without dropout.

    Returns:
        The columns of `COURSE`.
    """
    error, nll = history.error["test"], history.loss["test"]
    return {
        "error_stopped": error[history.best("validation")],
        "error_half": error[(len(error) - 1) // 2],
        "error_rise": error[-1] - min(error),
        "nll_ratio": nll[-1] / min(nll),
        "nll_epoch": history.epochs[history.best("test")],
        "epochs_fitted": first_epoch(history, "train", at_most=FITTED),
        "epochs_settled": first_epoch(history, "test", at_most=min(error) + SETTLED),
        "epochs_matched": first_epoch(history, "test", at_most=min(reference.error["test"])),
    }
