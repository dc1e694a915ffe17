import copy

import torch
from torch import nn

from dropoutlab.normalisation import reestimate_statistics
from tests.dropoutlab.grading.bank.entry import Bank

ratio = Bank("variance_shift_ratio")


@ratio.right
def closed_form(p, mean, variance):
    return (1 - p) * variance / (variance + p * mean**2)


@ratio.right
def by_moments(p, mean, variance):
    q = 1 - p
    second = (mean**2 + variance) / q
    return variance / (second - mean**2)


@ratio.right
def by_total_variance(p, mean, variance):
    q = 1 - p
    of_factor = p / q  # the variance of m/q, whose mean is 1
    return variance / (variance + of_factor * (variance + mean**2))


@ratio.right
def by_the_classic_form(p, mean, variance):
    q = 1 - p
    training = q * variance + q * p * mean**2
    return q**2 * variance / training


@ratio.right
def by_enumeration(p, mean, variance):
    sd = variance**0.5
    values = [(w, m, x) for m, w in ((0.0, p), (1 / (1 - p), 1 - p)) for x in (mean - sd, mean + sd)]
    second = sum(w / 2 * (m * x) ** 2 for w, m, x in values)
    return variance / (second - sum(w / 2 * m * x for w, m, x in values) ** 2)


@ratio.wrong("ratio-inverted")
def upside_down(p, mean, variance):
    return 1 / closed_form(p, mean, variance)


@ratio.wrong("mean-forgotten")
def keep_rate(p, mean, variance):
    return 1 - p


@ratio.wrong("keep-drop-swapped")
def p_for_q(p, mean, variance):
    return p * variance / (variance + (1 - p) * mean**2)


@ratio.wrong("sd-not-variance")
def root(p, mean, variance):
    return closed_form(p, mean, variance) ** 0.5


@ratio.wrong("no-scaling")
def survivors_unscaled(p, mean, variance):
    return variance / ((1 - p) * (variance + mean**2) - (1 - p) ** 2 * mean**2)


@ratio.wrong("wrong-value")
def no_square(p, mean, variance):
    return (1 - p) * variance / (variance + p * abs(mean))


statistics = Bank("reestimate_batchnorm")


def norms_of(net):
    return [layer for layer in net.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]


@statistics.right
@torch.no_grad()
def with_running_average(net, batches):
    net.eval()
    for norm in norms_of(net):
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    for batch in batches:
        net(batch)
    net.eval()
    return net


@statistics.right
def with_growing_weights(net, batches):
    net.eval()
    for k, batch in enumerate(batches):
        for norm in norms_of(net):
            norm.momentum = 1 / (k + 1)
            norm.train()
        with torch.no_grad():
            net(batch)
    return net.eval()


@statistics.right
def with_hooks(net, batches):
    net.eval()
    for norm in norms_of(net):
        seen = []
        handle = norm.register_forward_pre_hook(lambda _, given, seen=seen: seen.append(given[0]))
        with torch.no_grad():
            for batch in batches:
                net(batch)
            handle.remove()
            values = torch.cat(seen)
            norm.running_mean.copy_(values.mean(0))
            norm.running_var.copy_(values.var(0, unbiased=False))
    return net


@statistics.right
def with_dropout_switched_off(net, batches):
    net.train()
    for layer in net.modules():
        if isinstance(layer, nn.Dropout):
            layer.eval()
        if isinstance(layer, nn.BatchNorm1d):
            layer.reset_running_stats()
            layer.momentum = None
    with torch.inference_mode():
        for batch in batches:
            net(batch)
    return net.eval()


@statistics.right
def in_one_batch(net, batches):
    everything = torch.cat(list(batches))
    net.eval()
    for norm in norms_of(net):
        norm.momentum = 1.0
        norm.train()
    with torch.no_grad():
        net(everything)
    for norm in norms_of(net):
        norm.momentum = 0.1
    return net.eval()


@statistics.right
def on_a_copy(net, batches):
    return with_running_average(copy.deepcopy(net), batches)


@statistics.right
def with_the_lab(net, batches):
    return reestimate_statistics(net, torch.cat(batches)).eval()


@statistics.wrong("dropout-active")
@torch.no_grad()
def everything_in_training(net, batches):
    net.train()
    for norm in norms_of(net):
        norm.reset_running_stats()
        norm.momentum = None
    for batch in batches:
        net(batch)
    return net.eval()


@statistics.wrong("dropout-active")
def as_swa_does(net, batches):
    torch.optim.swa_utils.update_bn(batches, net.train())
    return net.eval()


@statistics.wrong("momentum-left")
@torch.no_grad()
def default_momentum(net, batches):
    net.eval()
    for norm in norms_of(net):
        norm.train()
    for batch in batches:
        net(batch)
    return net.eval()


@statistics.wrong("statistics-unchanged")
@torch.no_grad()
def all_in_evaluation(net, batches):
    net.eval()
    for batch in batches:
        net(batch)
    return net


@statistics.wrong("left-in-training")
def norms_left(net, batches):
    with_running_average(net, batches)
    for norm in norms_of(net):
        norm.train()
    return net


@statistics.wrong("weights-changed")
def trains(net, batches):
    with_running_average(net, batches)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter += 0.01
    return net


@statistics.wrong("wrong-type")
def returns_nothing(net, batches):
    with_running_average(net, batches)


@statistics.wrong("wrong-value")
def only_reset(net, batches):
    for norm in norms_of(net):
        norm.reset_running_stats()
    return net.eval()


positions = Bank("dropout_before_batchnorm")
DROPS, NORMS = (nn.Dropout, nn.Dropout2d), (nn.BatchNorm1d, nn.BatchNorm2d)


@positions.right
def with_any(net):
    layers = list(net)
    return [
        k
        for k, layer in enumerate(layers)
        if isinstance(layer, DROPS) and any(isinstance(later, NORMS) for later in layers[k + 1 :])
    ]


@positions.right
def from_the_end(net):
    found, seen = [], False
    for k in reversed(range(len(net))):
        seen = seen or isinstance(net[k], NORMS)
        if seen and isinstance(net[k], DROPS):
            found.insert(0, k)
    return found


@positions.right
def by_name(net):
    names = [type(layer).__name__ for layer in net]
    return [k for k, name in enumerate(names) if "Dropout" in name and "BatchNorm" in " ".join(names[k:])]


@positions.right
def as_a_set(net):
    found, waiting = set(), set()
    for k, layer in enumerate(net):
        if isinstance(layer, DROPS):
            waiting.add(k)
        elif isinstance(layer, NORMS):
            found |= waiting
    return found


@positions.right
def as_a_tensor(net):
    kinds = torch.tensor([isinstance(m, DROPS) - isinstance(m, NORMS) for m in net.children()])
    later = (kinds == -1).flip(0).cumsum(0).flip(0) > 0
    return torch.nonzero((kinds == 1) & later).flatten()


@positions.wrong("order-reversed")
def after(net):
    layers = list(net)
    return [
        k
        for k, layer in enumerate(layers)
        if isinstance(layer, DROPS) and any(isinstance(earlier, NORMS) for earlier in layers[:k])
    ]


@positions.wrong("only-adjacent")
def neighbours(net):
    return [k for k in range(len(net) - 1) if isinstance(net[k], DROPS) and isinstance(net[k + 1], NORMS)]


@positions.wrong("only-one-class")
def plain_classes(net):
    layers = list(net)
    return [
        k
        for k, layer in enumerate(layers)
        if isinstance(layer, nn.Dropout) and any(isinstance(later, nn.BatchNorm1d) for later in layers[k:])
    ]


@positions.wrong("names-the-other-layer")
def disturbed_norms(net):
    layers = list(net)
    return [
        k
        for k, layer in enumerate(layers)
        if isinstance(layer, NORMS) and any(isinstance(earlier, DROPS) for earlier in layers[:k])
    ]


@positions.wrong("wrong-value")
def all_dropouts(net):
    return [k for k, layer in enumerate(net) if isinstance(layer, DROPS)]


@positions.wrong("wrong-type")
def counted(net):
    return len(with_any(net))
