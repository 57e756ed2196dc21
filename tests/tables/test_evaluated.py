"""Laws of which runs may be compared row by row."""

import dataclasses

import numpy as np
import pytest

from w2s_cache.errors import RecordError
from w2s_cache.tables.evaluated import SUPERVISOR, load_evaluated


def load(answered, methods=("cpl", "lp-kd"), keep=lambda _: True):
    """Loads what was answered, without the records that are not to be kept."""
    records, read = answered
    return load_evaluated([r for r in records if keep(r)], methods, read)


def test_accuracies_are_those_of_the_records(answered):
    """Means over seeds agree with the records' own numbers, the weak labels included."""
    told = load(answered)
    records, _ = answered
    assert told.names == ("cpl", "lp-kd", SUPERVISOR, "ceiling")
    for domain in ("art", "sketch"):
        for name in ("cpl", "lp-kd"):
            own = [r for r in records if (r.method, r.domain) == (name, domain)]
            mean = np.mean([r.metrics["accuracy"] for r in own])
            assert told.outcomes[domain].accuracy()[told.place(name)] == pytest.approx(mean)
        weak = np.mean([r.metrics["weak_accuracy"] for r in own])
        assert told.outcomes[domain].accuracy()[told.place(SUPERVISOR)] == pytest.approx(weak)


def test_the_ceiling_is_the_better_one_of_each_domain(answered):
    """As in the tables: chosen by the mean over seeds, domain by domain."""
    told = load(answered)
    records, _ = answered
    for domain in ("art", "sketch"):
        means = [
            np.mean([r.metrics["accuracy"] for r in records if (r.method, r.domain) == (m, domain)])
            for m in ("ceiling-lp", "ceiling-cpl")
        ]
        ceiling = told.outcomes[domain].accuracy()[told.place("ceiling")]
        assert ceiling == pytest.approx(max(means))


def test_images_of_several_seeds_are_one(answered):
    """20 of 40 images per seed: more rows than images."""
    for outcomes in load(answered).outcomes.values():
        assert outcomes.rows == 40
        assert 20 < outcomes.images < 40


def test_without_a_ceiling_it_is_said_why(answered):
    """No ceiling, or one that lacks runs, leaves the rest as it was."""
    none = load(answered, keep=lambda r: not r.method.startswith("ceiling"))
    assert none.names == ("cpl", "lp-kd", SUPERVISOR)
    assert "no runs of ceiling-lp" in none.no_ceiling
    some = load(answered, keep=lambda r: not (r.method.startswith("ceiling") and r.seed == 1))
    assert some.no_ceiling == "no ceiling on art with seed 1, sketch with seed 1"


def test_methods_without_records_are_refused(answered):
    """The message names the method and the command that makes its records."""
    with pytest.raises(
        RecordError,
        match=r"lp-ce on art, sketch with seeds 0-1\. Run `.* --method lp-ce",
    ):
        load(answered, methods=("cpl", "lp-ce"))


def test_runs_that_only_one_method_has_are_refused(answered):
    """Nothing is dropped silently: the missing run is named."""
    with pytest.raises(RecordError, match="no run of cpl on art with seed 1"):
        load(answered, keep=lambda r: (r.method, r.domain, r.seed) != ("cpl", "art", 1))


def test_a_method_that_is_not_applicable_is_refused_with_its_reason(answered):
    """What the record says about it reaches the reader."""
    records, read = answered
    changed = [
        dataclasses.replace(r, status="not-applicable", reason="no text", metrics={})
        if r.method == "cpl"
        else r
        for r in records
    ]
    with pytest.raises(RecordError, match=r"not applicable: cpl \(no text\)\. Leave out"):
        load_evaluated(changed, ("cpl", "lp-kd"), read)


@pytest.mark.parametrize("column", ["path", "label", "weak"])
def test_runs_on_different_rows_are_refused(answered, column):
    """Equal numbers of rows are not enough: images, labels and weak labels must agree."""
    records, read = answered

    def other(record):
        told = read(record)
        if (record.method, record.domain, record.seed) != ("lp-kd", "sketch", 1):
            return told
        values = getattr(told, column)
        moved = (*values[1:], "x") if column == "path" else np.roll(values, 1)
        return dataclasses.replace(told, **{column: moved})

    with pytest.raises(RecordError, match="evaluated different rows of sketch"):
        load_evaluated(records, ("cpl", "lp-kd"), other)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"domains": ("art", "real")}, r"cpl, lp-kd on real with seeds 0-1\. Run .*--domain real"),
        ({"seeds": (0, 3, 4)}, r"cpl, lp-kd on art, sketch with seeds 3-4\. Run .*--seeds 3-4"),
    ],
)
def test_what_is_asked_for_by_name_and_nobody_ran_is_refused(answered, asked, told):
    """A domain or seed that none of the methods has is not left out silently."""
    records, read = answered
    with pytest.raises(RecordError, match=told):
        load_evaluated(records, ("cpl", "lp-kd"), read, **asked)


def test_fewer_domains_and_seeds_can_be_asked_for(answered):
    """Only those are compared."""
    records, read = answered
    told = load_evaluated(records, ("cpl",), read, domains=("art",), seeds=(1,))
    assert (told.domains, told.seeds) == (("art",), (1,))
