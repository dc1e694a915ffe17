"""Every figure of the book: one function each, data in, picture out."""

from dropoutlab.figures.overfitting import confidence_of_mistakes as confidence_of_mistakes
from dropoutlab.figures.overfitting import error_by_size as error_by_size
from dropoutlab.figures.overfitting import labelled_digits as labelled_digits
from dropoutlab.figures.overfitting import learning_curves as learning_curves
from dropoutlab.figures.overfitting import paired_effects as paired_effects
from dropoutlab.figures.scaling import drift as drift
from dropoutlab.figures.scaling import dropped_counts as dropped_counts
from dropoutlab.figures.scaling import mask_pictures as mask_pictures
from dropoutlab.figures.scaling import outcomes_by_convention as outcomes_by_convention
from dropoutlab.figures.scaling import ratios_by_depth as ratios_by_depth
from dropoutlab.figures.scaling import sums as sums
