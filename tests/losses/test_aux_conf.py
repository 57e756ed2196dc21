"""AuxConf: the published two-class rule, its schedules, and the balance of many classes."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from w2s_cache.errors import TrainError
from w2s_cache.losses.aux_conf import AuxConf
from w2s_cache.losses.class_balance import apply_offsets, balance_offsets

BINARY = torch.tensor([[0.2, -0.1], [1, 0], [-0.5, 0.7], [0, 0.4]], dtype=torch.float64)
BINARY_WEAK = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.2, 0.8]], dtype=torch.float64)
THRESHOLD = 0.48787743

# (schedule, progress, loss): float64 evaluation of the released formula, and of its schedule as
# published, by an independent script; alpha_max 0.5, warm-up 0.1, two classes.
GOLDEN = [
    ("reference", 0.05, 0.62304116),
    ("reference", 0.1, 0.61760366),
    ("reference", 0.5, 0.51972866),
    ("fixed", 0.05, 0.57410366),
    ("fixed", 0.1, 0.51972866),
]


def published(logits, weak):
    """The released rule: class 0 iff its probability reaches a quantile of the batch."""
    probability = torch.softmax(logits, 1)[:, 0]
    threshold = torch.quantile(probability, weak.mean(0)[1])
    return threshold, (probability < threshold).long()


def balanced_labels(logits, share):
    """Hardens rows so that their histogram follows the shares."""
    return apply_offsets(logits, balance_offsets(logits, share))


def histogram(labels, classes):
    """Share of each class among labels."""
    return torch.bincount(labels, minlength=classes).double() / len(labels)


@pytest.mark.parametrize(("schedule", "progress", "total"), GOLDEN)
def test_golden_numbers(schedule, progress, total):
    """Both schedules at the golden points, to eight digits."""
    loss = AuxConf(schedule=schedule, warmup=0.1)
    value = loss(BINARY, loss.targets(BINARY_WEAK.log()), progress=progress)
    assert value.item() == pytest.approx(total, abs=1e-8)


def test_golden_threshold_hardens_the_golden_rows():
    """The threshold of the released rule is the golden one, and rows 0 and 1 reach it."""
    threshold, hard = published(BINARY, BINARY_WEAK)
    assert threshold.item() == pytest.approx(THRESHOLD, abs=1e-8)
    assert hard.tolist() == [0, 0, 1, 1]
    assert balanced_labels(BINARY, BINARY_WEAK.mean(0)).tolist() == [0, 0, 1, 1]


@given(seed=st.integers(0, 2**32), rows=st.integers(1, 60))
@settings(deadline=None, max_examples=100)
def test_two_classes_follow_the_published_quantile(seed, rows):
    """On any batch of two classes every row is hardened as the released code would."""
    generator = torch.Generator().manual_seed(seed)
    logits, weak = torch.randn(2, rows, 2, generator=generator, dtype=torch.float64)
    weak = torch.softmax(2 * weak + torch.randn(2, generator=generator), 1)
    assert torch.equal(balanced_labels(logits, weak.mean(0)), published(logits, weak)[1])


@pytest.mark.parametrize(
    ("schedule", "points"),
    [
        ("fixed", {0.0: 0.0, 0.1: 0.375, 0.2: 0.75, 0.999: 0.75}),
        ("reference", {0.0: 0.0, 0.1: 0.075, 0.2: 0.15, 0.2001: 0.75, 0.999: 0.75}),
    ],
)
def test_schedules_at_start_within_and_after_the_warm_up(schedule, points):
    """The fixed one rises to the maximum, the reference to a fraction of it and then jumps."""
    loss = AuxConf(alpha_max=0.75, warmup=0.2, schedule=schedule)
    for progress, alpha in points.items():
        assert loss.alpha(progress) == pytest.approx(alpha)


def test_no_warm_up_is_the_maximum_at_once():
    """A warm-up of 0 has no division by it."""
    assert AuxConf(warmup=0.0).alpha(0.0) == 0.5


@pytest.mark.parametrize("balance", ["none", "batch"])
@pytest.mark.parametrize("tau_strong", [1.0, 0.1])
def test_gradient_is_that_of_the_literal_form(draw, value_and_gradient, balance, tau_strong):
    """Cross-entropy with the mixed target, the hard label a constant, in float64."""
    logits, weak = draw(10, rows=9, classes=2)
    loss = AuxConf(balance=balance, tau_strong=tau_strong)
    targets = loss.targets(weak)

    def literal(z):
        hard = z.argmax(1) if balance == "none" else published(z.detach(), weak.softmax(1))[1]
        mixed = 0.5 * torch.softmax(weak, 1) + 0.5 * functional.one_hot(hard, 2)
        return -(mixed * torch.log_softmax(z / tau_strong, 1)).sum(1).mean()

    ours = value_and_gradient(lambda z: loss(z, targets, progress=0.9), logits)
    torch.testing.assert_close(ours, value_and_gradient(literal, logits), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("rows", "classes", "scale"), [(512, 3, 1.0), (512, 7, 30.0), (300, 20, 0.05)]
)
def test_histogram_of_many_classes_follows_the_shares(rows, classes, scale):
    """The hardened counts are the shares to a row and 1 % of the batch, at any scale of logits."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(rows, classes, generator=generator) + torch.linspace(0, 3, classes)
    share = torch.softmax(torch.randn(classes, generator=generator), 0)
    labels = balanced_labels(scale * logits, share)
    missed = (histogram(labels, classes) - share).abs() * rows
    assert (histogram(logits.argmax(1), classes) - share).abs().max() * rows > 20
    assert missed.max() <= 1 + 0.01 * rows


def test_balanced_labels_keep_a_batch_that_is_balanced():
    """Logits whose argmax already has the given shares keep their argmax."""
    own = torch.arange(30) % 3
    logits = 4.0 * functional.one_hot(own, 3) + 0.01 * torch.randn(
        30, 3, generator=torch.Generator().manual_seed(1)
    )
    assert torch.equal(balanced_labels(logits, torch.full((3,), 1 / 3)), own)


def test_a_class_without_weak_mass_is_never_assigned():
    """A share of exactly 0 leaves a class out, however large its logits."""
    logits = torch.tensor([[9.0, 0, 1], [9, 1, 0], [9, 0.5, 0]])
    labels = balanced_labels(logits, torch.tensor([0.0, 0.5, 0.5]))
    assert 0 not in labels.tolist()


def test_a_single_row_of_many_classes_gets_its_weak_argmax():
    """With one row the largest capacity decides, as the docstring says."""
    share = torch.tensor([0.2, 0.5, 0.3])
    assert balanced_labels(torch.tensor([[3.0, 0.0, 1.0]]), share).tolist() == [1]


def test_fewer_rows_than_classes_still_give_every_row_a_label():
    """Capacities below one row are no error; every label is a class."""
    generator = torch.Generator().manual_seed(2)
    logits = torch.randn(5, 345, generator=generator)
    labels = balanced_labels(logits, torch.full((345,), 1 / 345))
    assert labels.shape == (5,)
    assert ((labels >= 0) & (labels < 345)).all()
    assert len(labels.unique()) == 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"alpha_max": 1.01}, "hyper-parameter alpha_max: .* found 1.01"),
        ({"alpha_max": math.nan}, "hyper-parameter alpha_max: .* found nan"),
        ({"warmup": -0.1}, "hyper-parameter warmup: .* found -0.1"),
        ({"schedule": "cosine"}, "hyper-parameter schedule: expected one of fixed, reference"),
        ({"balance": "row"}, "hyper-parameter balance: expected one of none, batch, global"),
        ({"tau_strong": 0.0}, "temperature tau_strong: .* found 0.0"),
        ({"tau_weak": -1.0}, "temperature tau_weak: .* found -1.0"),
    ],
)
def test_options_without_meaning_are_refused(options, said):
    """Each names the field, what it may be and what it was."""
    with pytest.raises(TrainError, match=said) as caught:
        AuxConf(**options)
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))
