"""Laws of hub classifiers as weak networks: their weights, a classifier of our own."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

from w2s_cache.encoders.weights import weights_digest
from w2s_cache.errors import EncoderError
from w2s_cache.spec import FinetuneSpec, WeakSpec
from w2s_cache.weak.checkpoint import weak_classifier
from w2s_cache.weak.finetune import finetune
from w2s_cache.weak.hub_networks import start
from w2s_cache.weak.start import start_of


def cvt(folder: Path, **changes: Any) -> WeakSpec:
    """The spec of a weak network in a folder."""
    said = {"model": "org/cvt", "checkpoint": str(folder), **changes}
    return WeakSpec(library="transformers", **said)


def by_hand(folder: Path) -> Any:
    """The same classifier as transformers itself loads it."""
    return transformers.AutoModelForImageClassification.from_pretrained(folder).eval()


def saved(folder: Path, kind: str, **config: Any) -> Path:
    """A tiny classifier of another architecture, saved with a plain processor."""
    settings = getattr(transformers, f"{kind}Config")(num_labels=5, **config)
    with torch.random.fork_rng():
        getattr(transformers, f"{kind}ForImageClassification")(settings).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(
        '{"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32}}'
    )
    return folder


TINY: dict[str, dict[str, Any]] = {
    "ViT": {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 20,
        "image_size": 32,
        "patch_size": 8,
    },
    "ConvNext": {"hidden_sizes": [4, 8, 8, 8], "depths": [1, 1, 1, 1]},
    "ResNet": {"embedding_size": 8, "hidden_sizes": [8, 8, 8, 8], "depths": [1, 1, 1, 1]},
}


def test_the_backbone_is_the_checkpoint_s_and_the_classifier_is_new(cvt_folder: Path) -> None:
    """With its old classifier put back the network answers what transformers answers."""
    wanted = by_hand(cvt_folder)
    started = start(cvt(cvt_folder), 3, generator_seed=0)
    network = started.network.eval()
    pixels = torch.stack([started.transform(Image.new("RGB", (50, 90), "teal"))])
    assert network(pixels).shape == (1, 3)
    network.network.classifier = wanted.classifier
    assert torch.equal(network(pixels), wanted(pixels).logits)


def test_a_classifier_of_as_many_classes_is_new_as_well(cvt_folder: Path) -> None:
    """Another task's classifier is not ours because it has the same width."""
    network = start(cvt(cvt_folder), 5, generator_seed=0).network.network
    assert not torch.equal(network.classifier.weight, by_hand(cvt_folder).classifier.weight)


@pytest.mark.parametrize("drawn", [False, True])
def test_the_seed_decides_the_start_and_no_other_generator_is_used(
    cvt_folder: Path, monkeypatch: pytest.MonkeyPatch, drawn: bool
) -> None:
    """The same seed builds the same network; torch's global generator is not moved."""
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(cvt_folder))
    weak = cvt(cvt_folder, checkpoint=None if drawn else str(cvt_folder))
    torch.manual_seed(11)
    before = torch.get_rng_state()
    digests = [
        weights_digest(start(weak, 3, generator_seed=seed).network.state_dict())
        for seed in (0, 0, 1)
    ]
    assert digests[0] == digests[1] != digests[2]
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("kind", TINY)
def test_any_classifier_of_the_library_will_do(tmp_path: Path, kind: str) -> None:
    """Architectures whose classifier lies elsewhere, alone or in a sequence, get a new one."""
    folder = saved(tmp_path / kind, kind, **TINY[kind])
    started = start(cvt(folder), 7, generator_seed=0)
    network = started.network.eval()
    pixels = started.transform(Image.new("RGB", (50, 90)))[None]
    assert network(pixels).shape == (1, 7)
    assert all(weight.requires_grad for weight in network.parameters())


def test_a_backbone_without_classifier_is_enough(tmp_path: Path, cvt_folder: Path) -> None:
    """Only the weights of the classifier, which is replaced anyway, may be missing."""
    shutil.copytree(cvt_folder, tmp_path / "less")
    state = load_file(tmp_path / "less" / "model.safetensors")
    kept = {name: value for name, value in state.items() if not name.startswith("classifier")}
    save_file(kept, tmp_path / "less" / "model.safetensors", metadata={"format": "pt"})
    whole, less = (start(cvt(f), 3, generator_seed=0) for f in (cvt_folder, tmp_path / "less"))
    assert weights_digest(whole.network.state_dict()) == weights_digest(less.network.state_dict())
    del kept["layernorm.weight"]
    save_file(kept, tmp_path / "less" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderError, match=r"1 missing, such as layernorm\.weight"):
        start(cvt(tmp_path / "less"), 3, generator_seed=0)


def test_the_image_size_of_the_spec_is_what_the_network_sees(
    tmp_path: Path, cvt_folder: Path
) -> None:
    """CvT takes any size; a ViT with learnt positions refuses another one in one sentence."""
    started = start(cvt(cvt_folder, image_size=48), 3, generator_seed=0)
    assert started.transform(Image.new("RGB", (50, 90))).shape == (3, 48, 48)
    vit = saved(tmp_path / "vit", "ViT", **TINY["ViT"])
    with pytest.raises(EncoderError, match="does not take images of 48×48"):
        start(cvt(vit, image_size=48), 3, generator_seed=0)


def test_from_scratch_a_network_is_built_for_the_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without weights a configuration is enough, and positions are made for the spec's size."""
    vit = saved(tmp_path / "vit", "ViT", **TINY["ViT"])
    (vit / "model.safetensors").unlink()
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(vit))
    weak = WeakSpec(library="transformers", model="org/vit", image_size=48)
    started = start(weak, 3, generator_seed=0)
    pixels = started.transform(Image.new("RGB", (50, 90)))[None]
    assert started.network(pixels).shape == (1, 3)
    assert pixels.shape == (1, 3, 48, 48)


def test_it_is_fine_tuned_and_kept_as_any_weak_model(
    tmp_path: Path, cvt_folder: Path, train_images: Any
) -> None:
    """The same code trains it, stores it and loads the same bits without training again."""
    recipe = FinetuneSpec(epochs=1, batch_size=16, lr=1e-3)
    weak = cvt(cvt_folder, finetune=recipe)

    def train(network: Any, transform: Any, _: object) -> None:
        finetune(network, train_images(transform), recipe, device="cpu", advance=lambda _: None)

    def never(*_: object) -> None:
        raise AssertionError("trained again")

    means = {"weak": weak, "classes": ("blue", "green", "red"), "trained_on": "0", "device": "cpu"}
    first, fresh = weak_classifier(lambda key: tmp_path / key, train=train, **means)
    second, again = weak_classifier(lambda key: tmp_path / key, train=never, **means)
    assert (fresh, again) == (True, False)
    assert first.identity() == second.identity()
    before = start(weak, 3, generator_seed=0).network.state_dict()
    after = second.network.state_dict()
    weight = "network.cvt.encoder.stages.0.embedding.convolution_embeddings.projection.weight"
    assert not torch.equal(before[weight], after[weight])


def test_another_activation_is_another_model(tmp_path: Path) -> None:
    """What changes numbers without changing weights is among the facts of the start."""
    one = saved(tmp_path / "one", "ViT", **TINY["ViT"])
    other = Path(shutil.copytree(one, tmp_path / "other"))
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "hidden_act": "relu"}))
    starts = [start(cvt(folder), 3, generator_seed=0) for folder in (one, other)]
    digests = [weights_digest(started.network.state_dict()) for started in starts]
    assert digests[0] == digests[1]
    assert starts[0].facts != starts[1].facts


def test_a_model_that_is_no_classifier_is_refused(blip_folder: Path) -> None:
    """BLIP as weak model is one sentence, with and without its weights."""
    with pytest.raises(EncoderError, match="AutoModelForImageClassification") as caught:
        start(cvt(blip_folder), 3, generator_seed=0)
    assert "\n" not in str(caught.value)


def test_without_transformers_the_command_is_named(
    monkeypatch: pytest.MonkeyPatch, cvt_folder: Path
) -> None:
    """A missing library is an error with the line that installs it."""
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(EncoderError, match=r"pip install 'transformers>=4\.45'"):
        start(cvt(cvt_folder), 3, generator_seed=0)


def test_the_fast_decoder_does_what_the_processor_says(cvt_folder: Path) -> None:
    """CvT's resize, crop and normalisation by torch: its own pixels up to rounding."""
    weak = WeakSpec(library="transformers", model="some/cvt", checkpoint=str(cvt_folder))
    own = start_of(weak, 3)
    fast = start_of(weak.model_copy(update={"decoder": "fast"}), 3)
    picture = Image.linear_gradient("L").resize((90, 70)).convert("RGB")
    assert fast.preprocessing["decoder"] == "fast"
    torch.testing.assert_close(
        fast.transform(picture), own.transform(picture), atol=2 / 255 / 0.2, rtol=0
    )
