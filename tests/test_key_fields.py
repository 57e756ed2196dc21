"""Laws of keys: every field of a spec changes a key, or the reason why it need not stands here.

A field that is added fails the first test until somebody decides which of the two it is.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from w2s_cache.errors import StaleStoreError
from w2s_cache.extract.request import ExtractRequest
from w2s_cache.request import feature_request
from w2s_cache.results import run_id
from w2s_cache.spec import (
    DataSpec,
    FinetuneSpec,
    ProtocolSpec,
    Spec,
    StoreSpec,
    StrongSpec,
    WeakSpec,
)
from w2s_cache.store.feature_set import FeatureSet, StoreRef, read_feature_set, write_feature_set
from w2s_cache.store.fingerprint import canonical_json
from w2s_cache.train.settings import declare

PLAIN: dict[str, Any] = {
    "name": "mine",
    "title": "Mine",
    "data": {"format": "class-folders"},
    "protocol": {},
    "strong": {"clip": {"model": "ViT-B-32,openai"}},
    "weak": {"small": {"model": "resnet18", "finetune": {}}},
    "store": {},
}
NAMES = {"dataset": "mine", "domain": "d", "strong": "clip", "weak": "small"}
SECTIONS = {
    "data": DataSpec,
    "protocol": ProtocolSpec,
    "strong.clip": StrongSpec,
    "weak.small": WeakSpec,
    "weak.small.finetune": FinetuneSpec,
    "store": StoreSpec,
}
ratio = st.floats(0, 0.99).map(lambda value: round(value, 6))
number = st.integers(1, 10_000)
word = st.from_regex(r"[A-Za-z0-9]{1,12}", fullmatch=True)

IN_THE_REQUEST: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("data", "format"): st.sampled_from(["domainnet", "class-folders"]),
    ("data", "test_fraction"): ratio.filter(bool),
    ("data", "split_seed"): st.integers(0, 10_000),
    ("data", "classes"): st.none() | st.lists(word, min_size=2, max_size=4, unique=True),
    ("strong.clip", "library"): word,
    ("strong.clip", "model"): word,
    ("strong.clip", "precision"): st.sampled_from(["fp32", "bf16", "fp16"]),
    ("strong.clip", "decoder"): st.sampled_from(["pillow", "fast"]),
    ("strong.clip", "templates"): st.lists(word.map("a {} of {{}}".format), min_size=1, max_size=3),
    ("weak.small", "library"): st.sampled_from(["timm", "transformers"]),
    ("weak.small", "model"): word,
    ("weak.small", "pretrained"): st.booleans(),
    ("weak.small", "image_size"): st.none() | number,
    ("weak.small", "precision"): st.sampled_from(["fp32", "bf16", "fp16"]),
    ("weak.small", "decoder"): st.sampled_from(["pillow", "fast"]),
    ("weak.small.finetune", "epochs"): number,
    ("weak.small.finetune", "batch_size"): number,
    ("weak.small.finetune", "lr"): ratio.filter(bool),
    ("weak.small.finetune", "optimizer"): st.sampled_from(["adam", "adamw", "sgd"]),
    ("weak.small.finetune", "weight_decay"): ratio,
    ("weak.small.finetune", "warmup_ratio"): ratio,
    ("weak.small.finetune", "label_smoothing"): ratio,
    ("weak.small.finetune", "flip"): st.booleans(),
    ("weak.small.finetune", "shift"): st.integers(0, 10_000),
    ("weak.small.finetune", "seed"): st.integers(0, 10_000),
    ("weak.small.finetune", "threads"): st.none() | number,
    ("store", "dtype"): st.sampled_from(["float16", "float32"]),
}
BY_CONTENT = {("strong.clip", "checkpoint"), ("weak.small", "checkpoint")}
SECTIONS_OF_THEIR_OWN = {("weak.small", "finetune")}
IN_THE_RUN: dict[tuple[str, str], Any] = {  # no cached number, but the identity of a run
    ("protocol", "hold_fraction"): 0.5,
    ("protocol", "fit_fraction"): 0.5,
    ("protocol", "split_seed"): 3,
    ("protocol", "eval_split"): "full-test",
    ("protocol", "select"): "last",
}
CHANGES_NO_NUMBER = {
    ("data", "root"): "images count by content, not by place",
    ("data", "source"): "drawn or on disk, they count by content",
    ("data", "aliases"): "say where a domain's folder is; the paths found there are in the index",
    ("data", "domains"): "each domain is cached by itself",
    ("protocol", "seeds"): "a run has one of them as `seed`, which is in its identity",
    ("strong.clip", "anchors"): "made of cached features at training; `anchors_key` in a run",
    ("strong.clip", "batch_size"): "rows do not depend on their neighbours",
    ("weak.small", "batch_size"): "the same: of evaluation only, fine-tuning has its own",
    ("store", "shard_rows"): "the same numbers in other files",
}
OF_AN_EXTRACTION = {
    "spec": "sections above",
    "strong": "a section above",
    "weak": "a section above",
    "strong_name": "in the path of the feature set, and compared",
    "weak_name": "in the path of the feature set, and compared",
    "weak_logits": "imported logits by content, see tests/extract/test_domain.py",
    "home": "may be moved",
    "root": "images count by content",
    "device": "changes last bits at most",
    "workers": "decode the same pixels",
    "batch_size": "rows do not depend on their neighbours",
    "crew": "more processes encode the same batches",
    "on_error": "rows of images that cannot be used are invalid, never other numbers",
    "retry_skipped": "reads such images once more",
    "recheck": "reads more, asks for the same",
}
OF_A_SPEC = {
    "name": "the data set's folder, and compared",
    "title": "is printed",
    "data": "a section above",
    "protocol": "a section above",
    "strong": "sections above",
    "weak": "sections above",
    "store": "a section above",
    "train": "in the config of a run",
    "methods": "each is a run of its own",
    "sweep": "names methods and seeds",
    "tables": "are printed from runs",
}


def spec_of(section: str = "store", **changes: Any) -> Spec:
    """The plain spec with other fields in one section."""
    fields: dict[str, Any] = {
        name: value if isinstance(value, str) else {**value} for name, value in PLAIN.items()
    }
    place = fields
    for part in section.split("."):
        place[part] = dict(place[part])
        place = place[part]
    place.update(changes)
    return Spec.model_validate(fields)


def request_of(spec: Spec) -> dict[str, Any]:
    """What the spec asks the cache for."""
    return feature_request(spec, strong=spec.strong["clip"], weak=spec.weak["small"])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache home with the feature set of the plain spec."""
    place = tmp_path_factory.mktemp("home")
    ref = StoreRef(path="v1/x", key_digest="0" * 64)
    found = FeatureSet(
        **NAMES,
        request=request_of(spec_of()),
        index_digest="1" * 64,
        image=ref,
        logits=ref,
        text=None,
        created="2026-01-01T00:00:00+00:00",
    )
    write_feature_set(place, found)
    return place


def shown(value: Any) -> str:
    """A value as messages show it."""
    return canonical_json(value).decode()


def test_every_field_of_a_spec_is_in_a_key_or_has_a_reason() -> None:
    """Nobody adds a field without deciding whether it changes numbers."""
    fields = {(name, f) for name, section in SECTIONS.items() for f in section.model_fields}
    groups = [
        set(IN_THE_REQUEST),
        BY_CONTENT,
        SECTIONS_OF_THEIR_OWN,
        set(IN_THE_RUN),
        set(CHANGES_NO_NUMBER),
    ]
    assert set().union(*groups) == fields
    assert sum(map(len, groups)) == len(fields)


def test_every_field_of_a_request_and_every_section_is_decided() -> None:
    """The same for what the command line says and for the sections themselves."""
    assert set(OF_AN_EXTRACTION) == {f.name for f in dataclasses.fields(ExtractRequest)}
    assert set(OF_A_SPEC) == set(Spec.model_fields)


@pytest.mark.parametrize(("section", "field"), IN_THE_REQUEST)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_another_value_is_a_miss_that_names_field_old_and_new(
    home: Path, section: str, field: str, data: st.DataObject
) -> None:
    """Equal values are a hit; any other is refused with its name, the cached value and the new."""
    new = data.draw(IN_THE_REQUEST[section, field])
    changed = spec_of(section, **{field: new})
    plain, wanted = (request_of(spec) for spec in (spec_of(), changed))
    if wanted == plain:
        assert read_feature_set(home, **NAMES, request=wanted).request == plain
        return
    with pytest.raises(StaleStoreError) as caught:
        read_feature_set(home, **NAMES, request=wanted)
    name = f"{section.replace('.clip', '').replace('.small', '')}.{field}"
    assert name in caught.value.found
    assert name in caught.value.expected
    # lists are shown by item; what is left to the library or the folders is left out
    if field not in {"templates", "decoder", "classes"}:
        old = getattr(_section(spec_of(), section), field)
        assert f"{name} = {shown(old)}" in caught.value.found
        assert f"{name} = {shown(new)}" in caught.value.expected


@pytest.mark.parametrize(("section", "field"), sorted(BY_CONTENT))
def test_a_checkpoint_counts_by_content(home: Path, tmp_path: Path, section: str, field: str):
    """Other weights are a miss with both digests, weights of another place are not."""
    for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (request_of(spec_of(section, **{field: str(tmp_path / n)})) for n in "abc")
    assert a == b != c
    with pytest.raises(StaleStoreError, match=r"checkpoint = null"):
        read_feature_set(home, **NAMES, request=a)


@pytest.mark.parametrize(("section", "field"), IN_THE_RUN)
def test_another_protocol_is_another_run_on_the_same_features(section: str, field: str) -> None:
    """The division and the selection are in the identity of a run, not in the cache."""
    changed = spec_of(section, **{field: IN_THE_RUN[section, field]})
    assert request_of(changed) == request_of(spec_of())
    names = {**NAMES, "method": "cpl", "seed": 0, "inputs": {}}
    one, other = (run_id({**names, **declare(s, "cpl", {})}) for s in (spec_of(), changed))
    assert one != other


FREE = {
    ("data", "root"): word,
    ("data", "source"): st.sampled_from(["disk", "pocket"]),
    ("data", "aliases"): st.dictionaries(word, st.lists(word, max_size=2), max_size=2),
    ("data", "domains"): st.lists(word, max_size=3),
    ("protocol", "seeds"): st.lists(number, min_size=1, max_size=3),
    ("strong.clip", "anchors"): st.sampled_from(["none", "other-domains"]),
    ("strong.clip", "batch_size"): number,
    ("weak.small", "batch_size"): number,
    ("store", "shard_rows"): number,
}


@pytest.mark.parametrize(("section", "field"), CHANGES_NO_NUMBER)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_changes_no_number_is_a_hit(
    home: Path, section: str, field: str, data: st.DataObject
) -> None:
    """Places, batch sizes and what only training reads ask for the same features."""
    changed = spec_of(section, **{field: data.draw(FREE[section, field])})
    assert read_feature_set(home, **NAMES, request=request_of(changed)).index_digest == "1" * 64


def _section(spec: Spec, section: str) -> Any:
    place: Any = spec
    for part in section.split("."):
        place = place[part] if isinstance(place, dict) else getattr(place, part)
    return place
