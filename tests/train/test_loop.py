"""The training loop, on toys of a few rows."""

import itertools
import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from w2s_cache.heads.linear import LinearHead
from w2s_cache.heads.prototypes import PrototypeHead
from w2s_cache.losses.adapt_conf import AdaptConf
from w2s_cache.losses.aug_conf import AugConf
from w2s_cache.losses.aux_conf import AuxConf
from w2s_cache.losses.cross_entropy import CrossEntropy
from w2s_cache.losses.distillation import Distillation
from w2s_cache.losses.product import Product
from w2s_cache.schedule import learning_rate_factor
from w2s_cache.train.config import TrainConfig
from w2s_cache.train.loop import Exploded, fit
from w2s_cache.train.stack import FitData, Learner

CONFIG = TrainConfig(lr=0.05, epochs=12, batch_size=8)
LOSSES = {
    "ce": CrossEntropy(tau_strong=0.1),
    "kd": Distillation(tau_strong=0.1),
    "adapt": AdaptConf(tau_strong=0.1),
    "aux": AuxConf(tau_strong=0.1),
    "aug": AugConf(tau_strong=0.1),
    "product": Product(tau_strong=0.1),
}


class Recorder:
    """A loss whose gradient is nothing; keeps what every step was given."""

    def __init__(self):
        self.rows, self.progress = [], []

    def targets(self, weak_logits):
        """The row numbers."""
        return {"row": torch.arange(len(weak_logits))}

    def __call__(self, logits, targets, *, progress):
        """Zero, connected to the logits."""
        self.rows.append(targets["row"].tolist())
        self.progress.append(progress)
        return 0.0 * logits.sum()


class Jumping:
    """A loss that moves the bias of a two-class probe, so that val scores go up and down."""

    def __init__(self, signs):
        self.signs, self.steps = signs, 0

    def targets(self, weak_logits):
        """Nothing but rows."""
        return {"row": torch.zeros(len(weak_logits))}

    def __call__(self, logits, targets, *, progress):  # noqa: ARG002
        """Pulls towards class 0 or class 1, as the signs say."""
        self.steps += 1
        return self.signs[self.steps - 1] * (logits[:, 1] - logits[:, 0]).mean()


def clusters(rows=40, classes=4, width=8):
    """Separable features with their labels, the classes on axes of their own."""
    labels = torch.arange(rows) % classes
    noise = 0.1 * torch.randn(rows, width, generator=torch.Generator().manual_seed(0))
    return functional.one_hot(labels, width).float() + noise, labels


def toy(head, loss):
    """Fit data of the clusters under confident weak logits."""
    features, labels = clusters()
    targets = loss.targets(4.0 * functional.one_hot(labels, 4))
    return FitData(prepared=head.prepare(features), targets=targets)


def learner(start, labels, seed=0, rows=None):
    """A run on some rows, all of them unless given, val on all."""
    every = torch.arange(len(labels))
    return Learner(
        start=start,
        rows=every if rows is None else rows,
        val_rows=every,
        val_labels=labels,
        generator=torch.Generator().manual_seed(seed),
    )


def start_of(head):
    """Parameters that know nothing: small, and equal in every test."""
    drawn = 0.1 * torch.randn(4, 8, generator=torch.Generator().manual_seed(1))
    if isinstance(head, PrototypeHead):
        return {"prototypes": drawn}
    return {"weight": drawn, "bias": torch.zeros(4)}


def trained(head=None, loss=None, config=CONFIG, seed=0):
    """One training of the toy."""
    head, loss = head or LinearHead(), loss or CrossEntropy()
    run = learner(start_of(head), clusters()[1], seed)
    [fitted] = fit(head, loss, toy(head, loss), [run], config)
    return fitted


def jumped(signs, select):
    """One full-batch SGD step an epoch on two features, the bias pulled as the signs say."""
    features = torch.zeros(4, 1)
    data = FitData(prepared=features, targets={"row": torch.zeros(4)})
    config = TrainConfig(
        optimizer="sgd", lr=1.0, epochs=len(signs), batch_size=4, schedule="constant",
        warmup_ratio=0.0, select=select,
    )  # fmt: skip
    start = {"weight": torch.zeros(2, 1), "bias": torch.zeros(2)}
    run = learner(start, torch.zeros(4, dtype=torch.int64))
    [fitted] = fit(LinearHead(), Jumping(signs), data, [run], config)
    return fitted


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES.keys())
@pytest.mark.parametrize("head", [LinearHead(), PrototypeHead()], ids=["linear", "prototypes"])
def test_every_loss_on_every_head_learns_a_separable_toy(head, loss):
    """All 40 rows end in their class, and the trace has every step of every epoch."""
    fitted = trained(head, loss)
    assert fitted.val_score == 1.0
    predicted = head.logits(fitted.parameters, toy(head, loss).prepared).argmax(dim=-1)
    assert torch.equal(predicted, clusters()[1])
    assert [point.step for point in fitted.trace] == list(range(12 * 5))


def test_learning_lowers_the_loss():
    """The last step's loss is far below the first's, which is near log 4 for a blank probe."""
    trace = trained().trace
    assert trace[0].loss == pytest.approx(math.log(4), abs=0.2)
    assert trace[-1].loss < 0.5 * trace[0].loss


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_every_optimizer_learns(optimizer):
    """Adam, AdamW and SGD separate the toy."""
    config = replace(CONFIG, optimizer=optimizer, lr=0.5 if optimizer == "sgd" else 0.05)
    assert trained(config=config).val_score == 1.0


def test_first_adam_step_moves_by_the_rate():
    """Closed form: Adam's first step is lr · sign(gradient), lr with its warm-up factor."""
    config = TrainConfig(lr=0.01, epochs=1, batch_size=40, warmup_ratio=0.0)
    fitted, start = trained(config=config), start_of(LinearHead())
    moved = (fitted.parameters["weight"] - start["weight"]).abs()
    torch.testing.assert_close(moved, torch.full((4, 8), 0.01), rtol=1e-3, atol=0)


def test_same_seed_gives_the_same_bits_and_another_does_not():
    """Parameters and losses are a function of start, data, recipe and generator."""
    one, same, other = (trained(seed=seed) for seed in (3, 3, 4))
    for name, value in one.parameters.items():
        assert torch.equal(value, same.parameters[name])
    assert one.trace == same.trace
    assert one.trace != other.trace
    assert not torch.equal(one.parameters["weight"], other.parameters["weight"])


def test_start_and_data_are_left_alone():
    """Neither the initial parameters nor the features are written to."""
    head, loss = LinearHead(), CrossEntropy()
    start, data = start_of(head), toy(head, loss)
    fit(head, loss, data, [learner(start, clusters()[1])], CONFIG)
    assert torch.equal(start["weight"], start_of(head)["weight"])
    assert torch.equal(data.prepared, toy(head, loss).prepared)
    assert not start["weight"].requires_grad


def test_val_selection_keeps_the_first_best_epoch():
    """Scores 0, 1, 1, 0 keep epoch 1, with the parameters of its end."""
    fitted = jumped([-1, 3, 1, -9], "weak-agreement")
    assert [point.val_score for point in fitted.trace] == [0.0, 1.0, 1.0, 0.0]
    assert (fitted.epoch, fitted.val_score) == (1, 1.0)
    assert fitted.parameters["bias"][0] > fitted.parameters["bias"][1]


def test_last_keeps_the_last_epoch():
    """The same training with "last" keeps epoch 3, though its score is the worst."""
    fitted = jumped([-1, 3, 1, -9], "last")
    assert (fitted.epoch, fitted.val_score) == (3, 0.0)
    assert fitted.parameters["bias"][0] < fitted.parameters["bias"][1]


@pytest.mark.parametrize("size", [1, 7, 40, 512])
def test_every_row_is_visited_once_an_epoch_in_a_new_order(size):
    """Batches have the asked size, the last may be smaller, and a batch may exceed all rows."""
    loss = Recorder()
    trained(loss=loss, config=replace(CONFIG, epochs=2, batch_size=size))
    steps = math.ceil(40 / size)
    parts = loss.rows[:steps], loss.rows[steps:]
    epochs = [list(itertools.chain.from_iterable(part)) for part in parts]
    assert [sorted(rows) for rows in epochs] == [list(range(40))] * 2
    assert epochs[0] != epochs[1]
    assert {len(rows) for rows in loss.rows[: steps - 1]} <= {min(size, 40)}
    assert len(loss.rows[steps - 1]) == 40 - (steps - 1) * size if size < 40 else 40


def test_features_and_targets_of_a_batch_belong_together():
    """Every step's features are those of the rows its targets name, last small batch included."""
    seen = []

    class Watching(LinearHead):
        def logits(self, parameters, prepared):
            seen.append(prepared.detach().clone())
            return super().logits(parameters, prepared)

    head, loss = Watching(), Recorder()
    trained(head, loss, replace(CONFIG, epochs=1, batch_size=7))
    for rows, features in zip(loss.rows, seen, strict=False):
        assert torch.equal(features, clusters()[0][rows])


def test_progress_is_the_share_of_steps_done():
    """From 0 in equal parts, below 1 at the last step."""
    loss = Recorder()
    trained(loss=loss, config=replace(CONFIG, epochs=2, batch_size=10))
    assert loss.progress == [step / 8 for step in range(8)]


def test_trace_tells_epoch_rate_and_score_of_every_step():
    """Rates follow the schedule; a val score stands where an epoch ends and nowhere else."""
    config = replace(CONFIG, epochs=2, batch_size=20, schedule="cosine")
    trace = trained(config=config).trace
    assert [point.epoch for point in trace] == [0, 0, 1, 1]
    rates = [
        0.05 * learning_rate_factor(step, total=4, warmup_ratio=0.1, schedule="cosine")
        for step in range(4)
    ]
    assert [point.lr for point in trace] == rates
    assert [point.val_score is None for point in trace] == [True, False, True, False]


def test_an_explosion_names_its_step():
    """A loss that is no finite number leaves no parameters, whatever the run's val score."""

    class Exploding(CrossEntropy):
        def __call__(self, logits, targets, *, progress):
            value = super().__call__(logits, targets, progress=progress)
            return value * math.inf if progress >= 0.5 else value

    ended = trained(loss=Exploding(), config=replace(CONFIG, epochs=2, batch_size=20))
    assert ended == Exploded(step=2, loss=math.inf)
