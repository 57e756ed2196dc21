"""Which records a table of a spec is made of."""

from __future__ import annotations

from dataclasses import replace

from w2s_cache.sections import Overrides, request_digest
from w2s_cache.train.matching import differing_settings, matching


def test_records_of_the_present_settings_are_kept(toy):
    """Records made exactly as the spec says all match."""
    records = [toy.run(method).record for method in ("weak", "cpl")]
    assert matching(records, toy.spec, {}) == records


def test_records_of_other_settings_are_left_out(toy):
    """Another hyper-parameter or protocol than the spec's does not match."""
    kept = toy.run("cpl").record
    others = [
        toy.run("cpl", tau=0.5).record,
        toy.with_protocol(eval_split="full-test").run("cpl").record,
        toy.with_protocol(select="oracle").run("cpl").record,
    ]
    assert matching([*others, kept], toy.spec, {}) == [kept]


def test_records_of_older_features_are_left_out(toy, make_toy):
    """Of one domain and one pair of models only the newest features count."""
    old = replace(toy.run("weak").record, created="2026-01-01T00:00:00+00:00")
    changed = make_toy("new", arrays={**toy.arrays, "features": toy.arrays["features"] * 2})
    new = replace(changed.run("weak").record, created="2026-01-02T00:00:00+00:00")
    assert matching([old, new], toy.spec, {}) == [new]


def _with_strong(spec, **changes):
    """The spec with another section of its strong encoder."""
    section = spec.strong["clip"].model_copy(update=changes)
    return spec.model_copy(update={"strong": {"clip": section}})


def test_the_newest_record_of_another_request_displaces_nothing(toy, make_toy):
    """Extract A, train A, extract B, train B, extract A, train A ("reused"): A's numbers, not B's.

    B has other templates, hence other text features under the same names; its records are newer.
    """
    other = _with_strong(toy.spec, templates=("openai7",))
    text = toy.arrays["text"][:, :, ::-1].copy()
    changed = make_toy("new", spec=other, arrays={**toy.arrays, "text": text})
    old = replace(toy.run("cpl").record, created="2026-01-01T00:00:00+00:00")
    new = replace(changed.run("cpl").record, created="2026-01-02T00:00:00+00:00")
    assert matching([old, new], toy.spec, {}) == [old]
    assert matching([old, new], other, {}) == [new]
    assert differing_settings([old, new], toy.spec, {}) == ["inputs.request_digest"]


def test_anchors_are_asked_for_like_features(toy):
    """Records with other domains' means for text match exactly when the spec asks for those."""
    plain = toy.run("weak").record
    anchored = replace(plain, inputs={**plain.inputs, "anchors_key": "a" * 64}, created="2099")
    assert matching([plain, anchored], toy.spec, {}) == [plain]
    asked = _with_strong(toy.spec, anchors="other-domains")
    assert matching([plain, anchored], asked, {}) == [anchored]


def test_what_is_said_of_the_models_beside_the_spec_belongs_to_the_request(toy, make_toy):
    """Records trained with another precision match when that precision is said again."""
    changed = make_toy("half", spec=_with_strong(toy.spec, precision="bf16"))
    records = [toy.run("weak").record, changed.run("weak").record]
    assert matching(records, toy.spec, {}) == records[:1]
    assert matching(records, toy.spec, {}, Overrides(precision="bf16")) == records[1:]


def test_every_pair_of_models_has_newest_features_of_its_own(toy):
    """Records of one weak model are not displaced by newer ones of another, imported one."""
    one = replace(toy.run("weak").record, created="2026-01-01T00:00:00+00:00")
    asked = request_digest(toy.spec, strong="clip", weak="mine")
    other = replace(one, weak="mine", inputs={"request_digest": asked}, created="2026-01-02")
    assert matching([one, other], toy.spec, {}) == [one, other]


def test_an_encoder_that_the_spec_names_no_more_is_left_out(toy):
    """What such a record was made from cannot be compared with what is asked for."""
    record = replace(toy.run("weak").record, strong="gone")
    assert matching([record], toy.spec, {}) == []


def test_a_method_that_is_not_installed_any_more_is_left_out(toy):
    """A record of an unknown method cannot be compared with the spec."""
    record = replace(toy.run("weak").record, method="gone")
    assert matching([record], toy.spec, {}) == []


def test_what_differs_is_named(toy):
    """Every setting in which records are not the spec's, once; nothing for records that match."""
    kept = toy.run("cpl").record
    others = [toy.run("cpl", tau=0.5).record, toy.with_protocol(select="oracle").run("weak").record]
    assert differing_settings([kept, *others], toy.spec, {}) == [
        "config.options.tau",
        "protocol.select",
    ]
    assert differing_settings([kept], toy.spec, {}) == []


def test_older_features_and_unknown_methods_are_named(toy):
    """Records of the present settings can be left out for their inputs or their method."""
    record = toy.run("weak").record
    inputs = record.inputs | {"image_key": "x"}
    old = replace(record, run_id="old", inputs=inputs, created="2020-01-01T00:00:00Z")
    gone = replace(record, run_id="gone", method="gone")
    assert differing_settings([record, old, gone], toy.spec, {}) == ["inputs", "method"]
