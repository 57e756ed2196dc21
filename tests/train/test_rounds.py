"""Self-training in rounds, on separable clusters."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from w2s_cache.errors import TrainError
from w2s_cache.heads.prototypes import PrototypeHead
from w2s_cache.losses.cross_entropy import CrossEntropy
from w2s_cache.methods import find_method
from w2s_cache.results import check_run, read_head, read_trace
from w2s_cache.supervision.pseudo_labels import pseudo_labels
from w2s_cache.supervision.self_training import SelfTraining
from w2s_cache.train.config import TrainConfig
from w2s_cache.train.loop import Exploded, fit
from w2s_cache.train.rounds import Lesson, first_scores, fit_in_rounds, log_probabilities
from w2s_cache.train.rows import usable_rows
from w2s_cache.train.settings import declare
from w2s_cache.train.stack import FitData, Learner
from w2s_cache.train.study import run_study
from w2s_cache.train.task import Pool, Task

CONFIG = TrainConfig(lr=0.05, epochs=3, batch_size=8, select="last")
ROWS, CLASSES, WIDTH, FIT = 60, 4, 8, 48
RUNS = ["cpl-fpl", "cpl-ifpl", "cpl-grip", "cpl-grip-weak", "lp-fpl", "lp-grip"]


def lesson(**changes):
    """Prototypes under cross-entropy on noisy clusters, in three rounds of four labels."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(ROWS) % CLASSES
    noise = 0.5 * torch.randn(ROWS, WIDTH, generator=generator)
    head = PrototypeHead()
    plain = Lesson(
        head=head,
        loss=CrossEntropy(tau_strong=0.1),
        prepared=head.prepare(functional.one_hot(labels, WIDTH).float() + noise),
        config=CONFIG,
        training=SelfTraining(rounds=3, k=4),
        tau=0.1,
    )
    return replace(plain, **changes)


def learner(seed=0):
    """A run with its own random start."""
    start = torch.randn(CLASSES, WIDTH, generator=torch.Generator().manual_seed(5))
    return Learner(
        start={"prototypes": start},
        rows=torch.arange(FIT),
        val_rows=torch.arange(FIT, ROWS),
        val_labels=torch.arange(FIT, ROWS) % CLASSES,
        generator=torch.Generator().manual_seed(seed),
    )


def first():
    """Scores of the first round, (48, 4): right more often than not."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(FIT) % CLASSES
    noise = torch.randn(FIT, CLASSES, generator=generator)
    return (functional.one_hot(labels, CLASSES) + 0.7 * noise).double().log_softmax(dim=-1)


def by_hand(rounds, scores, *, restart):
    """The same with the loop alone, every round's rows as a data set of its own."""
    here, pupil = lesson(), learner()
    for _ in range(rounds):
        taught = pseudo_labels(scores, 4, choice="per-class")
        prepared = torch.cat([here.prepared[taught.rows], here.prepared[FIT:]])
        count = len(taught.rows)
        data = FitData(prepared=prepared, targets={"label": taught.classes})
        alone = replace(
            pupil, rows=torch.arange(count), val_rows=torch.arange(count, len(prepared))
        )
        [ended] = fit(here.head, here.loss, data, [alone], CONFIG)
        cosines = here.head.logits(ended.parameters, here.prepared[:FIT])
        scores = (cosines / 0.1).double().log_softmax(dim=-1)
        if restart == "continued":
            pupil = replace(pupil, start=ended.parameters)
    return ended


@pytest.mark.parametrize("restart", ["anew", "continued"])
@pytest.mark.parametrize("rounds", [1, 3])
def test_each_round_learns_from_what_the_round_before_is_most_sure_of(rounds, restart):
    """Bit-equal to fitting, choosing and fitting again by hand."""
    training = SelfTraining(rounds=rounds, k=4, restart=restart)
    found = fit_in_rounds(lesson(training=training), learner(), first())
    expected = by_hand(rounds, first(), restart=restart)
    assert torch.equal(found.parameters["prototypes"], expected.parameters["prototypes"])
    assert found.val_score == expected.val_score


def test_steps_and_epochs_of_all_rounds_follow_each_other():
    """Three rounds of three epochs of two batches; the kept epoch is the last of the nine."""
    found = fit_in_rounds(lesson(), learner(), first())
    assert [point.step for point in found.trace] == list(range(18))
    assert [point.epoch for point in found.trace] == [step // 2 for step in range(18)]
    assert found.epoch == 8
    rates = [point.lr for point in found.trace]
    assert rates[:6] == rates[6:12] == rates[12:]  # the schedule begins anew with every round


def test_the_last_round_of_grip_has_every_row_it_can_share_out():
    """K grows by a third of 48 rows over 4 classes: 4, 8, 12 labels a class."""
    seen = []

    class Watching(CrossEntropy):
        def targets(self, weak_logits):
            seen.append(len(weak_logits))
            return super().targets(weak_logits)

    fit_in_rounds(
        lesson(loss=Watching(tau_strong=0.1), training=SelfTraining(rounds=3, k=0)),
        learner(),
        first(),
    )
    assert seen == [16, 32, 48]


def test_a_row_may_teach_two_classes_at_once():
    """Both of its labels reach the loss: with one row for four classes, p is uniform there."""
    flat = torch.zeros(FIT, CLASSES, dtype=torch.float64)  # every class takes row 0
    long = replace(CONFIG, epochs=300, schedule="constant")
    here = lesson(training=SelfTraining(rounds=1, k=1), config=long)
    found = fit_in_rounds(here, learner(), flat)
    cosines = here.head.logits(found.parameters, here.prepared[:1])
    assert (cosines / 0.1).softmax(dim=-1) == pytest.approx(0.25, abs=1e-3)


def test_a_loss_that_explodes_in_a_later_round_names_its_step_among_all():
    """The third step of the second round of six steps each is step 8."""

    class Exploding(CrossEntropy):
        steps = 0

        def __call__(self, logits, targets, *, progress):
            Exploding.steps += 1
            value = super().__call__(logits, targets, progress=progress)
            return value * torch.nan if Exploding.steps == 9 else value

    found = fit_in_rounds(lesson(loss=Exploding(tau_strong=0.1)), learner(), first())
    assert isinstance(found, Exploded)
    assert found.step == 8


def test_probabilities_that_round_to_one_are_still_told_apart():
    """Logits 20 and 21 above all others: log p is −2.1e-9 and −7.6e-10, in float32 both are 0."""
    logits = torch.tensor([[20.0, 0.0], [21.0, 0.0]])
    found = log_probabilities(lambda part: part, logits, torch.arange(2))
    assert found[0, 0] < found[1, 0] < 0


def test_zero_shot_is_as_sure_as_its_logit_scale_makes_it(toy):
    """The first labels are chosen by softmax(scale · cos(text, f)), scale 100 here."""
    inputs, training = toy.inputs(), SelfTraining()
    split, _ = usable_rows(toy.spec.protocol, inputs, 0)
    task = Task(
        inputs=inputs,
        split=split,
        evaluate=split.test,
        name="cpl-fpl",
        method=find_method("cpl-fpl"),
        declared=declare(toy.spec, "cpl-fpl", {}),
        seed=0,
        device="cpu",
    )
    pool = Pool(task)
    found = first_scores(training, task, pool, pool.places(split.fit))
    cosines = functional.normalize(inputs.features[split.fit], dim=-1) @ inputs.text.T
    assert found == pytest.approx((100 * cosines).double().log_softmax(dim=-1), abs=1e-4)


def test_seeds_of_one_call_are_what_each_alone_gives(toy):
    """Rounds are not stacked: two seeds together leave the heads of two runs."""
    study = toy.study(methods=["cpl-grip"], seeds=(0, 1))
    together = list(run_study(study, home=toy.home, results_dir=toy.results / "together"))
    for seed, outcome in enumerate(together):
        alone = toy.run("cpl-grip", seed=seed)
        ours = read_head(toy.results / "together", outcome.record)["prototypes"]
        assert np.array_equal(ours, read_head(toy.results, alone.record)["prototypes"])


@pytest.mark.parametrize("method", RUNS)
def test_every_record_obeys_the_specification(toy, method):
    """Also with accuracies by epoch: one for each epoch of each round."""
    study = toy.study(methods=[method], seeds=(0,), options={"k": 3}, curves=True)
    [outcome] = run_study(study, home=toy.home, results_dir=toy.results)
    assert check_run(outcome.directory) == []
    trace = read_trace(toy.results, outcome.record)
    rounds = outcome.record.config["options"]["rounds"]
    ends = trace.column("eval_accuracy").drop_null()
    assert len(ends) == rounds * outcome.record.config["recipe"]["epochs"]


@pytest.mark.parametrize("method", RUNS)
def test_self_training_never_reads_ground_truth(toy, relabel, bits, method):
    """Other ground truth on all test rows changes neither head nor epoch."""
    inputs = toy.inputs()
    everything = np.flatnonzero(~inputs.index.is_train)
    before = toy.run(method, inputs=inputs)
    after = toy.run(method, inputs=relabel(inputs, everything))
    assert bits(before) == bits(after) != b""
    assert before.record.selected == after.record.selected


@pytest.mark.parametrize(("method", "same"), [("cpl-fpl", True), ("cpl-grip-weak", False)])
def test_only_labels_from_the_weak_model_depend_on_it(toy, make_toy, method, same):
    """FPL learns from class text, whatever the weak model says; `-weak` begins with its labels."""
    heads = []
    for turn in (0, 1):
        turned = {**toy.arrays, "weak": np.roll(toy.arrays["weak"], turn, axis=1)}
        other = make_toy(f"toy-{turn}", arrays=turned).with_protocol(select="last")
        outcome = other.run(method, rounds=1, k=16)
        heads.append(read_head(other.results, outcome.record)["prototypes"])
    assert np.array_equal(*heads) is same


def test_an_image_only_encoder_can_learn_from_weak_labels_alone(make_toy):
    """Labels from zero-shot are not applicable there; labels from the weak model are."""
    toy = make_toy(image_only=True)
    assert toy.run("lp-fpl").record.status == "not-applicable"
    assert toy.run("lp-grip-weak").record.status == "done"


def test_hyper_parameters_of_the_rounds_are_set_like_all_others(toy):
    """They are in the record; a word without meaning is refused by name."""
    outcome = toy.run("cpl-ifpl", rounds=2, choice="leaderboard")
    options = outcome.record.config["options"]
    assert {
        "rounds": 2,
        "choice": "leaderboard",
        "k": 16,
        "restart": "anew",
    }.items() <= options.items()
    with pytest.raises(TrainError, match="hyper-parameter choice"):
        toy.run("cpl-ifpl", choice="best")
