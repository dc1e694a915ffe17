# Wrong solutions ignore arguments.
# ruff: noqa: ARG005
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from dropoutlab import Dropout
from tests.dropoutlab.grading.bank.entry import Bank

mlp = Bank("dropout_mlp")
evaluation = Bank("repair_evaluation")
registration = Bank("repair_registration")
output = Bank("repair_output")
double_scaling = Bank("repair_double_scaling")
keep_rate = Bank("repair_keep_rate")


def for_all(function):
    """The same network solves all of these exercises; one of them is told q in the place of p."""
    for bank in (mlp, evaluation, registration, output, double_scaling):
        bank.right(function)

    def told_q(sizes, keep):
        return function(sizes, 1 - keep)

    told_q.__name__ = function.__name__
    keep_rate.right(told_q)
    return function


@for_all
def sequential(sizes, p):
    layers = []
    for a, b in pairwise(sizes):
        layers.extend([nn.Linear(a, b), nn.ReLU(), nn.Dropout(p)])
    return nn.Sequential(*layers[:-2])


@for_all
def dropout_before_the_rectifier(sizes, p):
    layers = [nn.Linear(sizes[0], sizes[1])]
    for a, b in pairwise(sizes[1:]):
        layers += [nn.Dropout(p=p), nn.ReLU(inplace=False), nn.Linear(a, b)]
    return nn.Sequential(*layers)


@for_all
def functional_calls(sizes, p):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(a, b) for a, b in pairwise(sizes)])

        def forward(self, x):
            for layer in self.layers[:-1]:
                x = functional.dropout(functional.relu(layer(x)), p, self.training)
            return self.layers[-1](x)

    return Net()


@for_all
def layers_of_the_lab(sizes, p):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            pairs = list(pairwise(sizes))
            self.hidden = nn.ModuleList(
                nn.Sequential(nn.Linear(a, b), nn.ReLU(), Dropout(p)) for a, b in pairs[:-1]
            )
            self.head = nn.Linear(*pairs[-1])

        def forward(self, x):
            for block in self.hidden:
                x = block(x)
            return self.head(x)

    return Net()


@for_all
def masks_by_hand(sizes, p):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))

        def forward(self, x):
            for k, layer in enumerate(self.layers):
                x = layer(x)
                if k < len(self.layers) - 1:
                    x = torch.clamp(x, min=0)
                    if self.training:
                        x = x * torch.bernoulli(torch.full_like(x, 1 - p)) / (1 - p)
            return x

    return Net()


@for_all
def one_dropout_for_all_layers(sizes, p):
    dropout, relu = nn.Dropout(p), nn.ReLU()
    net = nn.Sequential()
    for k in range(len(sizes) - 2):
        net.append(nn.Linear(sizes[k], sizes[k + 1])).append(relu).append(dropout)
    return net.append(nn.Linear(sizes[-2], sizes[-1])).eval()


def built(sizes, *after_hidden, last=(), first=()):
    layers = [make() for make in first]
    for a, b in pairwise(sizes[:-1]):
        layers += [nn.Linear(a, b), *(make() for make in after_hidden)]
    return nn.Sequential(*layers, nn.Linear(sizes[-2], sizes[-1]), *(make() for make in last))


@mlp.wrong("dropout-missing")
def no_dropout(sizes, p):
    return built(sizes, nn.ReLU)


@mlp.wrong("dropout-missing")
def first_layer_only(sizes, p):
    layers = [nn.Linear(sizes[0], sizes[1]), nn.ReLU(), nn.Dropout(p)]
    for a, b in pairwise(sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


@mlp.wrong("dropout-on-input")
def input_too(sizes, p):
    return built(sizes, nn.ReLU, lambda: nn.Dropout(p), first=[lambda: nn.Dropout(p)])


@mlp.wrong("dropout-on-output")
@output.wrong("dropout-on-output")
def output_too(sizes, p):
    return built(sizes, nn.ReLU, lambda: nn.Dropout(p), last=[lambda: nn.Dropout(p)])


@mlp.wrong("activation-missing")
@output.wrong("activation-missing")
def linear_only(sizes, p):
    return built(sizes, lambda: nn.Dropout(p))


@mlp.wrong("keep-drop-swapped")
def q_for_p(sizes, p):
    return built(sizes, nn.ReLU, lambda: nn.Dropout(1 - p))


@mlp.wrong("p-hard-coded")
@keep_rate.wrong("p-hard-coded")
def half(sizes, p):
    return built(sizes, nn.ReLU, nn.Dropout)


@mlp.wrong("evaluation-changes-input")
def probabilities(sizes, p):
    return built(sizes, nn.ReLU, lambda: nn.Dropout(p), last=[lambda: nn.Softmax(-1)])


@mlp.wrong("wrong-shape")
def one_layer_less(sizes, p):
    return built(sizes[1:], nn.ReLU, lambda: nn.Dropout(p))


@mlp.wrong("wrong-type")
def a_list(sizes, p):
    return list(sequential(sizes, p))


@keep_rate.wrong("keep-drop-swapped")
def keep_as_drop(sizes, keep):
    return built(sizes, nn.ReLU, lambda: nn.Dropout(keep))


@keep_rate.wrong("dropout-missing")
def taken_out(sizes, keep):
    return built(sizes, nn.ReLU)


class WithList(nn.Module):
    """Hidden layers followed by some function of the activations."""

    def __init__(self, sizes, after):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.after = after

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.after(self, functional.relu(layer(x)))
        return self.layers[-1](x)


@evaluation.wrong("active-in-evaluation")
def default_of_the_function(sizes, p):
    return WithList(sizes, lambda net, h: functional.dropout(h, p))


@evaluation.wrong("dropout-missing")
def switched_off(sizes, p):
    return WithList(sizes, lambda net, h: functional.dropout(h, p, training=False))


@evaluation.wrong("active-in-evaluation")
def flag_upside_down(sizes, p):
    return WithList(sizes, lambda net, h: functional.dropout(h, p, training=not net.training))


@registration.wrong("active-in-evaluation")
def hidden_in_a_list(sizes, p):
    dropouts = [nn.Dropout(p)]
    return WithList(sizes, lambda net, h: dropouts[0](h))


@registration.wrong("dropout-missing")
def always_in_evaluation(sizes, p):
    dropouts = [nn.Dropout(p).eval()]
    return WithList(sizes, lambda net, h: dropouts[0](h))


@registration.wrong("raised")
def name_misspelt(sizes, p):
    return WithList(sizes, lambda net, h: net.dropuot(h))


@double_scaling.wrong("scaled-at-evaluation")
def q_in_evaluation(sizes, p):
    return WithList(
        sizes, lambda net, h: functional.dropout(h, p, net.training) * (1 if net.training else 1 - p)
    )


@double_scaling.wrong("no-scaling")
def wrong_line_removed(sizes, p):
    return WithList(sizes, lambda net, h: h * (torch.rand_like(h) >= p) if net.training else h)


@double_scaling.wrong("scaled-twice")
def both_in_training(sizes, p):
    return WithList(sizes, lambda net, h: functional.dropout(h, p) / (1 - p) if net.training else h)


@output.wrong("dropout-missing")
def none_left(sizes, p):
    return built(sizes, nn.ReLU)


def drawn_once(sizes, p):
    masks = {}

    def drop(net, h):
        if h.shape not in masks:
            masks[h.shape] = torch.rand_like(h) >= p
        return h * masks[h.shape] / (1 - p) if net.training else h

    return WithList(sizes, drop)


mlp.wrong("mask-repeats")(drawn_once)


@mlp.wrong("mask-shared-across-batch")
def one_row(sizes, p):
    return WithList(sizes, lambda net, h: h * (torch.rand(h.shape[1]) >= p) / (1 - p) if net.training else h)


block = Bank("dropout_conv_block")


@block.right
def conv_sequential(in_channels, out_channels, p):
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, padding="same"), nn.ReLU(), nn.Dropout2d(p))


@block.right
def conv_dropout_first(in_channels, out_channels, p):
    conv = nn.Conv2d(in_channels, out_channels, kernel_size=(3, 3), padding=(1, 1), bias=False)
    return nn.Sequential(conv, nn.Dropout2d(p), nn.ReLU())


class Conv(nn.Module):
    def __init__(self, in_channels, out_channels, after):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.after = after

    def forward(self, x):
        return self.after(self, self.conv(x))


@block.right
def conv_functional(in_channels, out_channels, p):
    return Conv(
        in_channels, out_channels, lambda net, z: functional.dropout2d(functional.relu(z), p, net.training)
    )


@block.right
def conv_by_hand(in_channels, out_channels, p):
    def after(net, z):
        z = z.relu()
        return z * (torch.rand(*z.shape[:2], 1, 1) >= p) / (1 - p) if net.training else z

    return Conv(in_channels, out_channels, after)


@block.right
def conv_of_the_lab(in_channels, out_channels, p):
    from dropoutlab import SpatialDropout

    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, 1, 1), nn.ReLU(), SpatialDropout(p))


def convolution(in_channels, out_channels, *rest):
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, padding=1), *rest)


@block.wrong("mask-per-element")
def conv_pixels(in_channels, out_channels, p):
    return convolution(in_channels, out_channels, nn.ReLU(), nn.Dropout(p))


@block.wrong("dropout-missing")
def conv_without(in_channels, out_channels, p):
    return convolution(in_channels, out_channels, nn.ReLU())


@block.wrong("dropout-on-input")
def conv_input(in_channels, out_channels, p):
    return nn.Sequential(nn.Dropout2d(p), *convolution(in_channels, out_channels, nn.ReLU()))


@block.wrong("active-in-evaluation")
def conv_function_default(in_channels, out_channels, p):
    return Conv(in_channels, out_channels, lambda net, z: functional.dropout2d(z.relu(), p))


@block.wrong("activation-missing")
def conv_linear(in_channels, out_channels, p):
    return convolution(in_channels, out_channels, nn.Dropout2d(p))


@block.wrong("keep-drop-swapped")
def conv_swapped(in_channels, out_channels, p):
    return convolution(in_channels, out_channels, nn.ReLU(), nn.Dropout2d(1 - p))


@block.wrong("wrong-shape")
def conv_shrinks(in_channels, out_channels, p):
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 3), nn.ReLU(), nn.Dropout2d(p))


residual = Bank("dropout_residual_block")


class Residual(nn.Module):
    def __init__(self, branch, p, rule):
        super().__init__()
        self.branch = branch
        self.drop = nn.Dropout(p)
        self.rule = rule

    def forward(self, x):
        return self.rule(self, x)


@residual.right
def as_a_class(branch, p):
    return Residual(branch, p, lambda net, x: x + net.drop(net.branch(x)))


@residual.right
def branch_first(branch, p):
    body = nn.Sequential(branch, nn.Dropout(p))
    return Residual(body, 0.0, lambda net, x: torch.add(net.branch(x), x))


@residual.right
def function_with_training(branch, p):
    return Residual(branch, p, lambda net, x: functional.dropout(net.branch(x), p, net.training) + x)


@residual.right
def by_hand(branch, p):
    def rule(net, x):
        out = net.branch(x)
        if net.training:
            out = torch.where(torch.rand(out.shape) < p, 0.0, out / (1 - p))
        return x + out

    return Residual(branch, p, rule)


@residual.right
def sum_in_place(branch, p):
    def rule(net, x):
        out = net.drop(net.branch(x))
        out += x
        return out

    return Residual(branch, p, rule)


@residual.wrong("dropout-on-skip")
def whole_sum(branch, p):
    return Residual(branch, p, lambda net, x: net.drop(x + net.branch(x)))


@residual.wrong("dropout-on-skip")
def skip_only(branch, p):
    return Residual(branch, p, lambda net, x: net.drop(x) + net.branch(x))


@residual.wrong("dropout-on-input")
def before_the_branch(branch, p):
    return Residual(branch, p, lambda net, x: x + net.branch(net.drop(x)))


@residual.wrong("skip-missing")
def branch_only(branch, p):
    return Residual(branch, p, lambda net, x: net.drop(net.branch(x)))


@residual.wrong("dropout-missing")
def never(branch, p):
    return Residual(branch, p, lambda net, x: x + net.branch(x))


@residual.wrong("active-in-evaluation")
def always(branch, p):
    return Residual(branch, p, lambda net, x: x + functional.dropout(net.branch(x), p))


@residual.wrong("keep-drop-swapped")
def other_p(branch, p):
    return Residual(branch, 1 - p, lambda net, x: x + net.drop(net.branch(x)))


@residual.wrong("mask-shared-across-units")
def whole_branch(branch, p):
    def rule(net, x):
        out = net.branch(x)
        return x + out * (torch.rand(len(x), 1) >= p) / (1 - p) if net.training else x + out

    return Residual(branch, p, rule)


@residual.wrong("scaled-at-evaluation")
def scaled_too(branch, p):
    return Residual(branch, p, lambda net, x: x + net.drop(net.branch(x)) * (1 if net.training else 1 - p))
