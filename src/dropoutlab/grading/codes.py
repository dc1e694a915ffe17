"""Every finding that a check can report: its stable code, what it means, what to think about next.

A code is never renamed: notes, pages and tests refer to it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """What a code stands for.

    Args:
        meaning: what was found, in one sentence.
        think: a question or a pointer that leads on without giving the solution away.
    """

    meaning: str
    think: str


_RUNNING = {
    "not-implemented": Code(
        "The function still raises NotImplementedError.",
        "Replace the line that raises. The first hint says where to begin.",
    ),
    "raised": Code(
        "Your code stopped with an exception.",
        "Call your function with the same kind of arguments and look at the line that is named.",
    ),
    "timed-out": Code(
        "Your code did not return in time and was stopped.",
        "Which loop has no end, or which recursion no base case? Does anything wait for input?",
    ),
    "ended-the-process": Code(
        "Your code ended the Python process in which it was checked.",
        "Return a value instead of leaving: no sys.exit, os._exit or endless memory.",
    ),
    "wrong-signature": Code(
        "The function cannot be called with the arguments of the exercise.",
        "Compare the names and the order of your parameters with those of the stub.",
    ),
    "wrong-type": Code(
        "The result is not of the type that the stub promises.",
        "Is there a path without return? Did you return a function, a list, or another library's array?",
    ),
    "wrong-shape": Code(
        "The result has another shape than was asked for.",
        "Write down the shape after every line. Which axis did you sum, stack or broadcast over?",
    ),
    "wrong-dtype": Code(
        "The result has another dtype than the input.",
        "Which factor has the wider type: the mask, or a scalar from NumPy? `.astype(x.dtype)` settles it.",
    ),
    "returns-nan": Code(
        "The result holds NaN or infinity where every input was finite.",
        "Where do you divide by zero, or take the logarithm of zero?",
    ),
    "mutates-input": Code(
        "The function changed an array, tensor or network that belongs to its caller.",
        "`x *= m` and `x[...] = 0` write into the caller's memory; `x = x * m` makes a new array.",
    ),
    "changes-globals": Code(
        "The function changed global state: a generator, torch's default dtype or its gradient mode.",
        "Whoever calls you next gets that change as well. Use the arguments you were given.",
    ),
    "unexaminable": Code(
        "The result is an object that could not be examined.",
        "Return a plain number, array, tensor or list, as the stub says.",
    ),
    "wrong-value": Code(
        "The result differs from the right one, in no way that is recognised.",
        "Work the smallest case out by hand and compare.",
    ),
}

_DROPOUT = {
    "keep-drop-swapped": Code(
        "The probability of dropping is taken for the probability of keeping, or the reverse.",
        "p drops, q = 1 − p keeps. With p = 0.2, how many of a hundred units should be left?",
    ),
    "no-scaling": Code(
        "The scaling is missing.",
        "What is the expected value of one output, over all masks, and what should it be?",
    ),
    "scaled-twice": Code(
        "The scaling is done twice.",
        "One factor makes the expectations of training and evaluation agree. What does the second do to it?",
    ),
    "divides-by-p": Code(
        "The survivors are divided by p; they must be divided by q = 1 − p.",
        "With p = 0.1 nearly everybody survives. Should a survivor become ten times as large?",
    ),
    "multiplies-by-keep": Code(
        "The survivors are multiplied by q; they must be divided by it.",
        "A fraction q survives. Which factor brings the expected sum back to where it was?",
    ),
    "wrong-scale": Code(
        "The survivors are scaled by a factor that is not the right one.",
        "Write down the expected value of one output over all masks and solve for the factor.",
    ),
    "scaled-by-realised-fraction": Code(
        "The survivors are divided by the fraction that happened to survive, and not by q.",
        "Then one unit's scale depends on the coins of the others. From which mean is the rule derived?",
    ),
    "p-hard-coded": Code(
        "The result does not follow p: a number is written where p belongs.",
        "Search your code for 0.5 and 2. A test with p = 0.5 alone would never have found it.",
    ),
    "wrong-fraction": Code(
        "The fraction of dropped units is neither p nor q.",
        "Draw a large mask of its own and print its mean for several p.",
    ),
    "fixed-quota": Code(
        "Always the same number of units is dropped.",
        "Dropout throws one coin per unit, independently. How often do ten coins give exactly three heads?",
    ),
    "mask-shared-across-batch": Code(
        "All examples of the batch get the same mask.",
        "Look at the shape of the mask. Which axis does broadcasting fill in for you?",
    ),
    "mask-shared-across-units": Code(
        "All units of an example are dropped together.",
        "Look at the shape of the mask. Has every unit a coin of its own?",
    ),
    "mask-shared-across-channels": Code(
        "All channels of an example are dropped together.",
        "The unit that is dropped is one map: one example, one channel.",
    ),
    "mask-per-element": Code(
        "Every pixel has a coin of its own; a whole map should share one.",
        "Neighbouring pixels of a map are nearly the same number. What does dropping one of them hide?",
    ),
    "mask-repeats": Code(
        "The same mask comes back although a new one was due.",
        "When is the mask drawn: once, or in every call? Do you make a generator from a fixed seed?",
    ),
    "ignores-generator": Code(
        "The randomness does not come from the generator that was passed.",
        "The same seed must give the same mask: draw from the argument, not from a global generator.",
    ),
    "inactive-in-training": Code(
        "Nothing is dropped in training.",
        "Does the mask reach the result? Is the condition on `training` the right way round?",
    ),
    "active-in-evaluation": Code(
        "Units are dropped in evaluation as well.",
        "Which value tells your code that training is over, and does it get there?",
    ),
    "training-flag-inverted": Code(
        "Dropout is off in training and on in evaluation.",
        "Read your condition on `training` aloud.",
    ),
    "scaled-at-evaluation": Code(
        "The values are scaled in evaluation; inverted dropout leaves them alone.",
        "The survivors were divided by q in training already. What is left to correct?",
    ),
    "evaluation-changes-input": Code(
        "Evaluation does not give what it should.",
        "What should happen to a value when no unit is dropped any more?",
    ),
    "classic-not-inverted": Code(
        "This is original dropout, scaled in evaluation; inverted dropout scales in training.",
        "The expectations agree in both. Which of the two leaves evaluation free of dropout?",
    ),
    "inverted-not-classic": Code(
        "This is inverted dropout, scaled in training; original dropout scales in evaluation.",
        "In the original, a survivor of training keeps its value. Where does q come in, then?",
    ),
    "no-gradient": Code(
        "No gradient reaches the input.",
        "`.detach()`, `.data`, `.numpy()` and `torch.no_grad()` cut the graph. x needs it.",
    ),
    "mask-missing-in-backward": Code(
        "The gradient does not carry the mask that the forward pass used.",
        "y = x·m/q. What is dy/dx for a dropped unit?",
    ),
}

_PLACES = {
    "dropout-missing": Code(
        "No dropout where it was asked for.",
        "Follow one hidden activation to the next layer: what touches it on the way?",
    ),
    "dropout-on-output": Code(
        "The output itself is dropped.",
        "A zeroed logit is not a missing opinion: it is the opinion 0. Who reads it?",
    ),
    "dropout-on-input": Code(
        "The input of the first layer or of the branch is dropped; the exercise asks for another place.",
        "What has been computed at the point where your dropout stands?",
    ),
    "dropout-on-skip": Code(
        "The skip connection is dropped, alone or within the sum.",
        "What carries the signal through a hundred blocks, and what happens to it at every sum?",
    ),
    "skip-missing": Code(
        "The skip connection is missing.",
        "A residual block adds something to its input.",
    ),
    "dropout-on-recurrent-state": Code(
        "The recurrent state is dropped.",
        "After T steps with a new mask each, what chance has a memory of the first step to survive?",
    ),
    "state-not-carried": Code(
        "The state that one step returns is not the state that the next step gets.",
        "What does the cell return, and what do you hand it in the next step?",
    ),
    "activation-missing": Code(
        "A hidden layer lacks its rectifier.",
        "Without it, what function can two linear layers in a row compute?",
    ),
    "checks-only-zero": Code(
        "Only f(0) = 0 is checked; the survivors are scaled as well.",
        "tanh(0) = 0. Is tanh(x)/q the same as tanh(x/q)?",
    ),
    "constant-answer": Code(
        "The answer is the same for every input.",
        "Find one example for each of the two answers.",
    ),
    "answer-inverted": Code(
        "Every answer is the opposite of the right one.",
        "Read the question once more: what does True stand for?",
    ),
}

_STATISTICS = {
    "normal-not-t": Code(
        "The interval uses the normal quantile 1.96; few runs need Student's t.",
        "How well do you know the standard deviation after five runs?",
    ),
    "unpaired": Code(
        "The two samples are treated as if they had nothing in common.",
        "Run i of both arms shares its seed. Of which n numbers do you want the mean?",
    ),
    "population-sd": Code(
        "The standard deviation divides by n; the sample's divides by n − 1.",
        "What is NumPy's default for `ddof`?",
    ),
    "sd-not-se": Code(
        "The half-width is built on the standard deviation; the mean's uncertainty shrinks with √n.",
        "Would a hundred more runs narrow your interval?",
    ),
    "sign-reversed": Code(
        "The sign is reversed.",
        "Which of the two is subtracted from which?",
    ),
    "one-sided": Code(
        "The quantile leaves 5 % on one side; 95 % in the middle leaves 2.5 % on either.",
        "How much probability lies to the right of your upper end?",
    ),
    "looks-ahead": Code(
        "The best epoch of the whole curve is returned, although training would have stopped before it.",
        "At the moment of stopping, which part of the curve has been seen?",
    ),
    "stop-epoch-not-best": Code(
        "The epoch of stopping is returned; the weights to keep are those of the best epoch.",
        "What did the epochs of waiting do to the loss?",
    ),
    "patience-off-by-one": Code(
        "The wait is one epoch too short or too long.",
        "With patience 1, how many epochs without improvement may pass before you stop?",
    ),
    "patience-not-reset": Code(
        "The count of bad epochs goes on after an improvement.",
        "What happens to the counter when the loss reaches a new minimum?",
    ),
    "maximises": Code(
        "The largest value is taken for the best; it is a loss.",
        "Is more loss better?",
    ),
    "ties-take-last": Code(
        "An equal loss counts as an improvement.",
        "Improved means strictly smaller. What does a plateau do to your counter?",
    ),
    "penalises-biases": Code(
        "The biases are penalised as well.",
        "Which parameters does the exercise name?",
    ),
    "absolute-not-square": Code(
        "Absolute values are summed: that is L1. L2 sums squares.",
        "What is the derivative of your penalty at a small weight?",
    ),
    "half-missing": Code(
        "The factor ½ is missing.",
        "With it, what is the derivative of the penalty?",
    ),
    "norm-not-squared": Code(
        "The norm is added; its square is asked for.",
        "√(Σw²) and Σw² are two penalties. Which one has the gradient λw?",
    ),
    "mean-not-sum": Code(
        "A mean stands where a sum is asked for.",
        "Should the pull on a weight depend on how many others there are?",
    ),
    "strength-ignored": Code(
        "The result does not depend on the strength.",
        "Where does λ enter?",
    ),
}

_COADAPTATION = {
    "not-cumulative": Code(
        "Each unit is removed alone; the curve asks for one after the other, without bringing any back.",
        "How many units are missing at the last point of your curve?",
    ),
    "zero-not-mean": Code(
        "Removed units are set to 0; the exercise sets them to their mean.",
        "A unit that is always 5 tells nothing. What does setting it to 0 do to the next layer?",
    ),
    "accuracy-not-error": Code(
        "The accuracy is returned, not the error.",
        "Should the curve rise or fall as units go?",
    ),
    "start-missing": Code(
        "The point without any lesion is missing.",
        "With n units the curve has n + 1 points.",
    ),
    "order-ignored": Code(
        "The units are removed in the order of their index.",
        "Which argument says which unit goes first?",
    ),
    "not-centred": Code(
        "The mean was not subtracted, so the common level counts as a direction.",
        "In how many directions do activations vary that are all equal to 7?",
    ),
    "squares-the-values": Code(
        "The squares of the singular values are used, as in a principal component analysis.",
        "Which shares does the definition use?",
    ),
    "wrong-log-base": Code(
        "The logarithm and the power have different bases.",
        "exp undoes log, 2** undoes log2.",
    ),
    "entropy-not-exponentiated": Code(
        "The entropy itself is returned, not its exponential.",
        "For k equal directions the entropy is log k. What should the count be?",
    ),
    "counts-directions": Code(
        "Directions are counted whole, as in the rank of a matrix.",
        "Should a direction with a hundredth of the spread count like the first?",
    ),
    "baseline-forgotten": Code(
        "Losses are combined without taking off the loss of the intact network.",
        "Δ is a rise. Above what?",
    ),
    "maximum-not-sum": Code(
        "The pair is compared with the worse of the two units, not with their sum.",
        "If each unit did its own work, what would losing both cost?",
    ),
    "half-the-sum": Code(
        "The pair is compared with the mean of the two single lesions, not with their sum.",
        "If each unit did its own work, what would losing both cost?",
    ),
}

_ENSEMBLE = {
    "masks-equally-likely": Code(
        "All masks get the same weight; that is right for p = 0.5 only.",
        "What is the probability that exactly these units survive?",
    ),
    "averages-logits": Code(
        "The logits are averaged and then turned into probabilities.",
        "Softmax is not linear. Which average does a mean of logits give?",
    ),
    "mask-left-out": Code(
        "Not all 2ⁿ masks are counted: the empty or the full one is missing.",
        "Do your probabilities sum to one before you normalise them?",
    ),
    "softmax-missing": Code(
        "Logits are returned; probabilities are asked for.",
        "Do the rows sum to one?",
    ),
    "softmax-twice": Code(
        "Softmax is applied to probabilities.",
        "What does `predict` return already?",
    ),
    "softmax-wrong-axis": Code(
        "The probabilities sum to one over the examples, not over the classes.",
        "Which axis holds the classes?",
    ),
    "bias-scaled": Code(
        "The bias is scaled with the weights; no mask ever touched it.",
        "Which numbers were multiplied by a mask in training?",
    ),
    "not-normalised": Code(
        "The result does not sum to one.",
        "The geometric means of the classes sum to less than one. What is missing?",
    ),
    "product-not-root": Code(
        "The product over the members is used without the M-th root.",
        "How sure would a thousand members be that all say 0.6?",
    ),
    "arithmetic-not-geometric": Code(
        "This is the arithmetic mean.",
        "The geometric mean averages logarithms.",
    ),
    "geometric-not-arithmetic": Code(
        "This is the geometric mean.",
        "Monte Carlo dropout averages the probabilities themselves.",
    ),
    "underflows": Code(
        "The product of many probabilities falls below the smallest float.",
        "0.3 to the power 1000 is 0 for a computer. On which scale is a product a sum?",
    ),
    "one-pass-repeated": Code(
        "One pass is counted many times.",
        "Is `predict` called inside the loop?",
    ),
    "wrong-sample-count": Code(
        "`predict` is not called as often as `samples` says.",
        "Which number bounds your loop?",
    ),
    "wrong-divisor": Code(
        "The sum is divided by another number than the number of passes.",
        "Do the probabilities of one example still sum to one?",
    ),
    "averages-votes": Code(
        "Votes are counted; probabilities are to be averaged.",
        "What is lost when 0.51 and 0.99 count alike?",
    ),
}

_BATCHNORM = {
    "ratio-inverted": Code(
        "The ratio is upside down.",
        "Evaluation above, training below. Which of the two variances is larger?",
    ),
    "mean-forgotten": Code(
        "The mean is ignored; the ratio is q only where it is zero.",
        "Let the variance go to 0 with mean 1. Does dropout leave the output constant?",
    ),
    "sd-not-variance": Code(
        "Standard deviations are compared, not variances.",
        "Is a square root left over?",
    ),
    "dropout-active": Code(
        "The statistics are collected while dropout is on.",
        "`net.train()` switches both on. How do you switch on the batch normalisation alone?",
    ),
    "momentum-left": Code(
        "The old statistics still count, or the last batches count most.",
        "What does `momentum` do in torch, and what does `momentum=None` mean?",
    ),
    "statistics-unchanged": Code(
        "The running statistics are as they were.",
        "In which mode does a batch normalisation update them?",
    ),
    "left-in-training": Code(
        "Part of the network is still in training mode.",
        "Who uses it next, and what will they expect?",
    ),
    "weights-changed": Code(
        "The weights were changed.",
        "Only the running mean and variance are to be estimated again.",
    ),
    "order-reversed": Code(
        "Layers after a batch normalisation are named; those before one are asked for.",
        "Whose statistics does a dropout layer disturb?",
    ),
    "only-adjacent": Code(
        "Only dropout directly before a batch normalisation is found.",
        "Does a linear layer in between undo the change of variance?",
    ),
    "only-one-class": Code(
        "Only one kind of layer is recognised.",
        "Dropout2d drops as well, and BatchNorm2d normalises as well.",
    ),
    "names-the-other-layer": Code(
        "The positions of the batch normalisations are returned, not those of the dropout layers.",
        "Which layer would you move?",
    ),
}

CODES: dict[str, Code] = {
    **_RUNNING,
    **_DROPOUT,
    **_PLACES,
    **_STATISTICS,
    **_COADAPTATION,
    **_ENSEMBLE,
    **_BATCHNORM,
}
