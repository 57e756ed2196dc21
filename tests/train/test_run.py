"""Runs: what they read, what they leave, and when they are the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from w2s_cache.errors import RecordError, TrainError, UnknownNameError
from w2s_cache.results import check_run, read_predictions
from w2s_cache.train.rows import usable_rows

TRAINED = ["lp-ce", "lp-kd", "cpl", "soft-class-means", "ceiling-lp"]
NEED_TEXT = ["zero-shot", "cpl", "cpl-ce", "ceiling-cpl"]
NEED_NO_TEXT = ["weak", "lp-kd", "cpl-random", "soft-class-means", "ceiling-lp"]


def predictions(outcome):
    """The prediction table of a run as numpy columns."""
    table = pq.read_table(outcome.directory / "predictions.parquet")
    return {name: table.column(name).to_numpy() for name in ("row", "label", "weak", "predicted")}


def test_the_weak_row_is_the_argmax_of_the_weak_logits(toy):
    """The method `weak` predicts the argmax of the weak logits and agrees with itself entirely."""
    outcome = toy.run("weak")
    found = predictions(outcome)
    expected = toy.arrays["weak"].argmax(axis=1)[found["row"]]
    np.testing.assert_array_equal(found["predicted"], expected)
    metrics = outcome.record.metrics
    assert metrics["agreement"] == 1.0
    assert metrics["accuracy"] == metrics["weak_accuracy"]
    assert metrics["accuracy"] == pytest.approx(np.mean(expected == found["label"]))


@pytest.mark.parametrize("method", [*TRAINED, "zero-shot"])
def test_every_record_obeys_the_specification(toy, method):
    """A fresh run breaks no law of the run record."""
    assert check_run(toy.run(method).directory) == []


@pytest.mark.parametrize("method", TRAINED)
def test_labels_of_the_held_out_rows_never_reach_the_head(toy, relabel, bits, method):
    """Other ground truth on D'_test leaves every trained head bit-identical, the ceiling's too."""
    inputs = toy.inputs()
    held_out = usable_rows(toy.spec.protocol, inputs, 0)[0].test
    before = toy.run(method, inputs=inputs)
    after = toy.run(method, inputs=relabel(inputs, held_out))
    assert bits(before) == bits(after) != b""
    assert before.record.run_id != after.record.run_id
    assert before.record.metrics["accuracy"] != after.record.metrics["accuracy"]


@pytest.mark.parametrize("method", ["lp-kd", "cpl", "soft-class-means"])
def test_selection_never_reads_ground_truth(toy, relabel, bits, method):
    """Other ground truth on all test rows changes neither head, epoch, candidate nor val score."""
    inputs = toy.inputs()
    options = {"tau_weak": [1.0, 0.3]}
    before = toy.run(method, inputs=inputs, **options)
    everything = np.flatnonzero(~inputs.index.is_train)
    after = toy.run(method, inputs=relabel(inputs, everything), **options)
    assert bits(before) == bits(after)
    assert before.record.selected == after.record.selected
    assert before.record.metrics["val_score"] == after.record.metrics["val_score"]


def test_the_oracle_reads_ground_truth_on_val_and_says_so(toy, relabel):
    """`select = oracle` scores by ground truth on val, and the record's protocol names it."""
    oracle = toy.with_protocol(select="oracle")
    inputs = oracle.inputs()
    val = usable_rows(oracle.spec.protocol, inputs, 0)[0].val
    before = oracle.run("zero-shot", inputs=inputs)
    after = oracle.run("zero-shot", inputs=relabel(inputs, val))
    assert before.record.protocol["select"] == "oracle"
    assert before.record.metrics["val_score"] != after.record.metrics["val_score"]


@pytest.mark.parametrize("method", ["lp-kd", "cpl-random"])
def test_a_seed_decides_every_bit(toy, make_toy, bits, method):
    """One seed gives one head, from this cache and from one made anew; another seed another."""
    first = toy.run(method)
    cold = replace(make_toy("cold"), results=toy.results / "again")
    torch.manual_seed(99)
    again = cold.run(method)
    assert bits(first) == bits(again)
    assert first.record.run_id == again.record.run_id
    assert not again.reused
    assert bits(first) != bits(toy.run(method, seed=1))


def test_torch_global_generator_is_left_alone(toy):
    """A run neither draws from torch's global generator nor seeds it."""
    before = torch.random.get_rng_state()
    toy.run("cpl-random")
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_finished_run_is_reused(toy):
    """The same request again returns the record on disk and touches no file."""
    first = toy.run("cpl")
    stamps = {p: p.stat().st_mtime_ns for p in first.directory.iterdir()}
    again = toy.run("cpl")
    assert again.reused
    assert again.record == first.record
    assert stamps == {p: p.stat().st_mtime_ns for p in again.directory.iterdir()}


@pytest.mark.parametrize(
    "change",
    [
        lambda toy: toy.run("cpl", tau=0.5),
        lambda toy: toy.run("cpl", seed=1),
        lambda toy: toy.with_protocol(select="last").run("cpl"),
        lambda toy: toy.with_protocol(eval_split="full-test").run("cpl"),
    ],
    ids=["hyper-parameter", "seed", "selection", "evaluation"],
)
def test_whatever_decides_the_numbers_makes_another_run(toy, change):
    """Another hyper-parameter, seed or protocol is another run beside the first."""
    first = toy.run("cpl")
    other = change(toy)
    assert not other.reused
    assert other.directory != first.directory
    assert first.directory.is_dir()


def test_an_integer_and_its_float_are_one_run(toy):
    """`tau = 1` and `tau = 1.0` are the same hyper-parameter."""
    assert toy.run("cpl", tau=1.0).record.run_id == toy.run("cpl", tau=1).record.run_id


def test_of_several_candidates_the_one_val_agrees_with_most_is_kept(toy, bits):
    """A list is selected from by val agreement, the choice recorded, its head the plain run's."""
    values = [1000.0, 1.0, 0.3]
    alone = {tau: toy.run("lp-kd", seed=2, tau_weak=tau) for tau in values}
    scores = {tau: outcome.record.metrics["val_score"] for tau, outcome in alone.items()}
    best = max(values, key=scores.__getitem__)
    chosen = toy.run("lp-kd", seed=2, tau_weak=values)
    assert len(set(scores.values())) > 1
    assert chosen.record.config["options"]["tau_weak"] == values
    assert chosen.record.selected["tau_weak"] == best
    assert chosen.record.metrics["val_score"] == scores[best]
    assert bits(chosen) == bits(alone[best])


def test_the_first_of_equal_candidates_is_kept(toy):
    """Of candidates with the same val score the first listed wins."""
    chosen = toy.run("cpl", rescale=[True, True])
    assert chosen.record.selected["rescale"] is True
    assert toy.run("soft-class-means", tau_weak=[1.0, 1.0000001]).record.selected == {
        "tau_weak": 1.0
    }


@pytest.mark.parametrize("method", NEED_TEXT)
def test_what_needs_text_is_not_applicable_without_a_text_tower(make_toy, method):
    """On an image-only encoder a method that starts from text leaves a record that says why."""
    outcome = make_toy(image_only=True).run(method)
    assert outcome.record.status == "not-applicable"
    assert outcome.record.reason == "the strong encoder has no text tower"
    assert outcome.record.metrics == {}
    assert check_run(outcome.directory) == []


@pytest.mark.parametrize("method", NEED_NO_TEXT)
def test_everything_else_works_without_a_text_tower(make_toy, method):
    """On an image-only encoder the other methods run, with the numbers they have beside text."""
    outcome = make_toy(image_only=True).run(method)
    beside_text = make_toy("text").run(method)
    assert outcome.record.status == "done"
    assert outcome.record.metrics == beside_text.record.metrics
    assert outcome.record.inputs["text_key"] is None


@pytest.mark.parametrize("method", TRAINED)
def test_a_class_the_weak_model_never_predicts_is_no_obstacle(toy, make_toy, method):
    """Weak logits that rule a class out still give a lawful run."""
    weak = toy.arrays["weak"].copy()
    weak[:, 3] = -200.0
    outcome = make_toy("mute", arrays={**toy.arrays, "weak": weak}).run(method)
    assert 3 not in predictions(outcome)["weak"]
    assert check_run(outcome.directory) == []


@pytest.mark.parametrize("method", TRAINED)
def test_constant_weak_logits_are_no_obstacle(toy, make_toy, method):
    """A weak model that knows nothing still gives a lawful run; its argmax is class 0."""
    weak = np.zeros_like(toy.arrays["weak"])
    outcome = make_toy("blank", arrays={**toy.arrays, "weak": weak}).run(method)
    assert set(predictions(outcome)["weak"]) == {0}
    assert check_run(outcome.directory) == []


def test_undecodable_rows_are_left_out_and_counted(toy, make_toy, bits):
    """Rows without an image are neither trained nor evaluated on, whatever stands in their place.

    NaN in their features would reach the head if one were used.
    """
    split = usable_rows(toy.spec.protocol, toy.inputs(), 0)[0]
    gone = (int(split.fit[0]), int(split.val[0]), int(split.test[0]), int(split.test[1]))
    broken = make_toy("broken", invalid=gone)
    inputs = broken.inputs()
    inputs.features[list(gone)] = float("nan")
    outcome = broken.run("cpl", inputs=inputs)
    assert outcome.record.counts == {
        "fit": 63,
        "val": 15,
        "eval": 18,
        "skipped": 4,
        "skipped_train": 0,
    }
    assert not set(gone) & set(predictions(outcome)["row"].tolist())
    assert bits(outcome) != bits(toy.run("cpl"))
    assert check_run(outcome.directory) == []


def test_counts_say_how_the_test_half_was_cut(toy):
    """Of 100 test rows 64 are fit, 16 val, 20 held out (Li et al., §4.1, floors at 80 %)."""
    counts = {"fit": 64, "val": 16, "eval": 20, "skipped": 0, "skipped_train": 0}
    assert toy.run("weak").record.counts == counts
    full = toy.with_protocol(eval_split="full-test").run("weak").record.counts
    assert full == {**counts, "eval": 100}


def test_a_refused_run_leaves_nothing(toy):
    """An unknown method or hyper-parameter and a meaningless value leave no results folder."""
    with pytest.raises(UnknownNameError, match="Did you mean 'cpl'"):
        toy.run("cpll")
    with pytest.raises(TrainError, match="no hyper-parameter 'tua'"):
        toy.run("cpl", tua=1.0)
    with pytest.raises(TrainError, match="temperature tau_strong"):
        toy.run("cpl", tau=-1.0)
    assert not toy.results.exists()


@pytest.mark.parametrize("damage", ["record", "older", "predictions", "bit"])
def test_a_damaged_run_is_run_again_aloud(toy, damage):
    """Broken, older or lost files never block training, and are not passed over silently."""
    first = toy.run("cpl")
    record, table = (first.directory / n for n in ("record.json", "predictions.parquet"))
    if damage == "record":
        record.write_text('{"run_id"')
    elif damage == "older":
        record.write_text(record.read_text().replace("run-record/2", "run-record/1"))
    elif damage == "predictions":
        table.unlink()
    else:
        content = bytearray(table.read_bytes())
        content[len(content) // 2] ^= 1
        table.write_bytes(content)
    said: list[str] = []
    again = toy.run("cpl", say=said.append)
    assert not again.reused
    assert check_run(again.directory) == []
    [sentence] = said
    assert sentence.startswith("a damaged or older run is run again: ")
    assert str(first.directory) in sentence


def test_an_answer_that_is_not_finite_is_refused_by_name(toy):
    """Class means with a temperature that float32 cannot hold; nothing is written."""
    with pytest.raises(
        TrainError, match=r"soft-class-means on art with seed 0 diverged.*tau_weak = 1e-50"
    ):
        toy.run("soft-class-means", tau_weak=1e-50)
    assert not toy.results.exists()


@pytest.mark.parametrize("name", ["predictions.parquet", "trace.parquet", "head.safetensors"])
@pytest.mark.parametrize("damage", ["cut", "other"])
def test_a_run_with_a_damaged_file_is_run_again(toy, name, damage):
    """A file cut short or of something else is no finished run; the new one is whole."""
    first = toy.run("lp-ce")
    file = first.directory / name
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage == "cut" else b"something else")
    again = toy.run("lp-ce")
    assert not again.reused
    assert check_run(again.directory) == []


def test_predictions_of_another_run_are_refused(toy):
    """As many rows as the record says are not enough: their accuracy is the record's, too."""
    weak, probe = toy.run("weak"), toy.run("lp-ce")
    assert weak.record.metrics["accuracy"] != probe.record.metrics["accuracy"]
    stolen = (weak.directory / "predictions.parquet").read_bytes()
    (probe.directory / "predictions.parquet").write_bytes(stolen)
    with pytest.raises(RecordError, match=r"predictions\.parquet is not as it was written"):
        read_predictions(toy.results, probe.record)
    with pytest.raises(
        RecordError, match=r"predictions\.parquet cannot be used.*accuracy"
    ) as caught:
        read_predictions(toy.results, replace(probe.record, files=weak.record.files))
    assert all((caught.value.what, caught.value.expected, caught.value.found, caught.value.fix))
