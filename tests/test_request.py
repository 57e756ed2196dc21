"""Laws of the request: it changes exactly when numbers may change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from w2s_cache.errors import SpecError
from w2s_cache.request import feature_request
from w2s_cache.spec import Spec
from w2s_cache.store.fingerprint import canonical_json

PLAIN: dict[str, Any] = {
    "name": "mine",
    "title": "Mine",
    "data": {"format": "class-folders"},
    "strong": {"clip": {"model": "ViT-B-32,openai"}},
    "weak": {"small": {"model": "resnet18", "finetune": {}}},
    "store": {},
}


def request_of(section: str = "", **changes: Any) -> dict[str, Any]:
    """The request of a spec whose section (dotted path) has other fields."""
    fields = json.loads(json.dumps(PLAIN))
    place = fields
    for part in section.split(".") if section else []:
        place = place.setdefault(part, {})
    place.update(changes)
    spec = Spec.model_validate(fields)
    return feature_request(spec, strong=spec.strong["clip"], weak=spec.weak["small"])


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("data", {"format": "domainnet"}),
        ("data", {"test_fraction": 0.5}),
        ("data", {"split_seed": 1}),
        ("strong.clip", {"library": "timm"}),
        ("strong.clip", {"model": "ViT-B-16,openai"}),
        ("strong.clip", {"precision": "bf16"}),
        ("strong.clip", {"templates": ["plain", "openai7"]}),
        ("strong.clip", {"decoder": "fast"}),
        ("weak.small", {"decoder": "fast"}),
        ("weak.small", {"model": "resnet34"}),
        ("weak.small", {"pretrained": True}),
        ("weak.small", {"image_size": 64}),
        ("weak.small", {"precision": "bf16"}),
        ("store", {"dtype": "float16"}),
        *[
            ("weak.small.finetune", change)
            for change in (
                {"epochs": 4},
                {"batch_size": 4},
                {"lr": 0.5},
                {"optimizer": "sgd"},
                {"weight_decay": 0.5},
                {"warmup_ratio": 0.5},
                {"label_smoothing": 0.5},
                {"flip": True},
                {"shift": 4},
                {"seed": 4},
            )
        ],
    ],
)
def test_what_changes_numbers_changes_the_request(section: str, change: dict[str, Any]) -> None:
    """Every field that decides features, logits or their storage is asked for."""
    assert request_of(section, **change) != request_of()


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("", {"title": "Other"}),
        ("", {"methods": ["cpl"], "tables": []}),
        ("data", {"root": "/elsewhere"}),
        ("data", {"source": "pocket"}),
        ("strong.clip", {"batch_size": 7}),
        ("weak.small", {"batch_size": 7}),
        ("store", {"shard_rows": 7}),
        ("train", {"lr": 0.5}),
        ("protocol", {"seeds": [7]}),
        ("strong.other", {"model": "x"}),
    ],
)
def test_what_changes_no_number_leaves_the_request(section: str, change: dict[str, Any]) -> None:
    """Batch sizes, places, training and other sections are not asked for."""
    assert request_of(section, **change) == request_of()


def test_the_order_of_named_classes_is_asked_for() -> None:
    """Labels and columns of logits follow the classes that a spec names, one by one."""
    orders = (["ant", "bee"], ["bee", "ant"], ["ant"], None)
    requests = [request_of("data", classes=order)["data"] for order in orders]
    assert all(requests.count(request) == 1 for request in requests)
    assert "classes" not in requests[-1]


@pytest.mark.parametrize("section", ["strong.clip", "weak.small"])
def test_a_checkpoint_is_asked_for_by_content(tmp_path: Path, section: str) -> None:
    """A weights file may move; it may not change."""
    file, moved = tmp_path / "a.pt", tmp_path / "b.pt"
    file.write_bytes(b"weights")
    moved.write_bytes(b"weights")
    asked = request_of(section, checkpoint=str(file))
    assert asked == request_of(section, checkpoint=str(moved)) != request_of()
    moved.write_bytes(b"other weights")
    assert asked != request_of(section, checkpoint=str(moved))


@pytest.mark.parametrize("section", ["strong.clip", "weak.small"])
def test_a_model_folder_is_asked_for_by_content(tmp_path: Path, section: str) -> None:
    """A folder may move and gain a README; weights, configuration and vocabulary may not change."""
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        for name in ("config.json", "model.safetensors", "vocab.txt"):
            (folder / name).write_text(name)
    (there / "README.md").write_text("A model.")
    asked = request_of(section, checkpoint=str(here))
    assert asked == request_of(section, checkpoint=str(there)) != request_of()
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        (there / name).write_text("other")
        assert asked != request_of(section, checkpoint=str(there))
        (there / name).write_text(name)


@pytest.mark.parametrize("section", ["strong.clip", "weak.small"])
def test_a_missing_checkpoint_is_said(tmp_path: Path, section: str) -> None:
    """A checkpoint that is not there is an error of the spec."""
    with pytest.raises(SpecError, match="no such file"):
        request_of(section, checkpoint=str(tmp_path / "absent.pt"))


def test_imported_logits_ask_for_no_recipe() -> None:
    """Where the weak logits were imported, the weak section is not asked."""
    spec = Spec.model_validate(PLAIN)
    asked = feature_request(spec, strong=spec.strong["clip"], weak=None)
    assert asked["weak"] == {"imported": True}
    assert asked["strong"] == request_of()["strong"]


def test_a_request_has_a_canonical_form() -> None:
    """A request is made of JSON values and survives JSON."""
    asked = request_of()
    assert canonical_json(json.loads(json.dumps(asked))) == canonical_json(asked)


def test_a_folder_of_models_that_is_not_there_is_said(tmp_path: Path) -> None:
    """`local-dir:` with a wrong path is an error of the spec."""
    with pytest.raises(SpecError, match=r"local-dir:.*no such folder"):
        request_of("strong.clip", model=f"local-dir:{tmp_path / 'absent'}")


def test_the_library_s_own_decoder_is_not_named() -> None:
    """Caches and records from before there was a choice are those of the default."""
    asked = request_of()
    assert request_of("strong.clip", decoder="pillow") == asked
    assert request_of("weak.small", decoder="pillow") == asked
    assert b"decoder" not in canonical_json(asked)
