"""Laws of BLIP as strong encoder: the very numbers transformers computes, frozen and identified."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

from w2s_cache.encoders.blip import BlipEncoder
from w2s_cache.encoders.catalogue import load_encoder
from w2s_cache.errors import EncoderError

TEXTS = ["a photo of a cat", "the sketch of the hot air balloon", "dog"]


def blip(folder: Path, **changes: Any) -> BlipEncoder:
    """Load a folder through the catalogue."""
    means = {"checkpoint": str(folder), "precision": "fp32", "device": "cpu", **changes}
    found = load_encoder("transformers", "org/blip", **means)
    assert isinstance(found, BlipEncoder)
    return found


def by_hand(folder: Path) -> Any:
    """The same model as transformers itself loads it."""
    network = transformers.BlipForImageTextRetrieval.from_pretrained(folder)
    return network.eval().requires_grad_(False)


def batch(encoder: BlipEncoder, pictures: list[Image.Image]) -> torch.Tensor:
    """Preprocess and stack."""
    return torch.stack([encoder.preprocess(picture) for picture in pictures])


def changed(folder: Path, target: Path, weight: str) -> Path:
    """A copy of a model folder in which one weight differs."""
    shutil.copytree(folder, target)
    state = load_file(target / "model.safetensors")
    state[weight] = state[weight] + 1
    save_file(state, target / "model.safetensors", metadata={"format": "pt"})
    return target


def test_image_features_are_the_projected_class_token(
    blip_folder: Path, pictures: list[Image.Image]
) -> None:
    """Bit-equal to vision_proj of the last state's first token; preprojection is that token."""
    encoder, network = blip(blip_folder), by_hand(blip_folder)
    pixels = batch(encoder, pictures)
    with torch.inference_mode():
        token = network.vision_model(pixels).last_hidden_state[:, 0]
        wanted = network.vision_proj(token)
    found = encoder.encode_images(pixels)
    assert torch.equal(found["features"], wanted)
    assert torch.equal(found["preprojection"], token)
    assert {name: tensor.shape[1] for name, tensor in found.items()} == encoder.widths
    assert wanted.std(dim=0).max() > 0


def test_text_features_are_the_projected_class_token(blip_folder: Path) -> None:
    """Bit-equal to text_proj of the unmasked text tower's first state, tokens included."""
    text, network = blip(blip_folder).text, by_hand(blip_folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(blip_folder)
    given = tokenizer(TEXTS, padding="max_length", max_length=35, return_tensors="pt")
    with torch.inference_mode():
        states = network.text_encoder(given["input_ids"], given["attention_mask"])
        wanted = network.text_proj(states.last_hidden_state[:, 0])
    tokens = text.tokenize(TEXTS)
    assert torch.equal(tokens, given["input_ids"])
    assert torch.equal(text.encode_text(tokens), wanted)


def test_cosines_are_those_of_the_contrastive_head(
    blip_folder: Path, pictures: list[Image.Image]
) -> None:
    """Cosines of cached features are what the whole model answers without its matching head."""
    encoder, network = blip(blip_folder), by_hand(blip_folder)
    pixels, tokens = batch(encoder, pictures), encoder.text.tokenize(TEXTS)
    with torch.inference_mode():
        wanted = network(
            input_ids=tokens,
            pixel_values=pixels,
            attention_mask=tokens.ne(0).long(),
            use_itm_head=False,
        )[0]
    images = torch.nn.functional.normalize(encoder.encode_images(pixels)["features"])
    texts = torch.nn.functional.normalize(encoder.text.encode_text(tokens))
    assert torch.allclose(images @ texts.t(), wanted, atol=1e-6)


def test_tuples_are_read_as_well(
    blip_folder: Path, pictures: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Towers that answer with tuples, as some versions do when asked, give the same features."""
    encoder = blip(blip_folder)
    pixels, tokens = batch(encoder, pictures), encoder.text.tokenize(TEXTS)
    wanted = encoder.encode_images(pixels)["features"], encoder.text.encode_text(tokens)
    for tower in (encoder.network.vision_model, encoder.network.text_encoder):
        inner = tower.forward
        monkeypatch.setattr(
            tower, "forward", lambda *a, _inner=inner, **k: tuple(_inner(*a, **k).to_tuple())
        )
    assert torch.equal(encoder.encode_images(pixels)["features"], wanted[0])
    assert torch.equal(encoder.text.encode_text(tokens), wanted[1])


def test_padding_is_not_seen(blip_folder: Path) -> None:
    """A text has the same feature whatever the length it is padded to; long ones are cut at 35."""
    text = blip(blip_folder).text
    tokens = text.tokenize([*TEXTS, "a cat " * 40])
    assert tokens.shape == (4, 35)
    assert torch.allclose(
        text.encode_text(tokens[:3, :12]), text.encode_text(tokens)[:3], atol=1e-5
    )


def test_the_scale_is_the_temperature_blip_starts_from(blip_folder: Path, tmp_path: Path) -> None:
    """1/0.07 by default (BLIP's code), as the configuration says otherwise; there is no bias."""
    text = blip(blip_folder).text
    assert text.logit_scale == pytest.approx(1 / 0.07, rel=1e-4)
    assert text.logit_bias == 0.0
    shutil.copytree(blip_folder, tmp_path / "other")
    config = json.loads((tmp_path / "other" / "config.json").read_text())
    config["logit_scale_init_value"] = math.log(50)
    (tmp_path / "other" / "config.json").write_text(json.dumps(config))
    other = blip(tmp_path / "other").text
    assert other.logit_scale == pytest.approx(50)
    assert other.identity() != text.identity()


@pytest.mark.parametrize(
    ("weight", "towers"),
    [
        ("vision_proj.weight", {"image"}),
        ("vision_model.post_layernorm.bias", {"image"}),
        ("text_proj.bias", {"text"}),
        ("text_encoder.embeddings.LayerNorm.weight", {"text"}),
        ("itm_head.bias", set()),
        ("text_encoder.encoder.layer.0.crossattention.self.key.bias", set()),
    ],
)
def test_identity_follows_the_weights_that_are_used(
    blip_folder: Path, tmp_path: Path, weight: str, towers: set[str]
) -> None:
    """Each tower's weights are its identity; those of the matching head change no feature."""
    one, other = blip(blip_folder), blip(changed(blip_folder, tmp_path / "other", weight))
    differs = {"image": one.identity() != other.identity()}
    differs["text"] = one.text.identity() != other.text.identity()
    assert {tower for tower, differ in differs.items() if differ} == towers


def test_identity_is_made_of_json_values_and_follows_the_rest(
    blip_folder: Path, tmp_path: Path
) -> None:
    """Preprocessing and precision count; where the folder lies does not."""
    one = blip(blip_folder)
    moved = blip(Path(shutil.copytree(blip_folder, tmp_path / "moved")))
    assert json.loads(json.dumps(one.identity())) == one.identity() == moved.identity()
    assert one.text.identity() == moved.text.identity()
    assert one.identity()["preprocess"]["resize"] == [32, 32]
    rough = blip(blip_folder, precision="bf16")
    assert {**rough.identity(), "precision": "fp32"} == one.identity() != rough.identity()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncat\na\n"),
        ("tokenizer_config.json", '{"tokenizer_class": "BertTokenizer", "do_lower_case": false}'),
    ],
)
def test_another_tokenizer_is_another_text_tower(
    blip_folder: Path, tmp_path: Path, file: str, content: str
) -> None:
    """Vocabulary and lower-casing change text features, so they are in the text's key alone."""
    folder = Path(shutil.copytree(blip_folder, tmp_path / "other"))
    (folder / file).write_text(content)
    one, other = blip(blip_folder), blip(folder)
    texts = ["A Cat"]
    assert not torch.equal(one.text.tokenize(texts), other.text.tokenize(texts))
    said = other.text.identity()
    assert {key for key, v in said.items() if one.text.identity()[key] != v} == {"tokenizer"}
    assert one.identity() == other.identity()


def test_the_model_is_frozen(blip_folder: Path, pictures: list[Image.Image]) -> None:
    """Eval mode, no gradients, the same bits again."""
    encoder = blip(blip_folder)
    assert not any(module.training for module in encoder.network.modules())
    assert not any(weight.requires_grad for weight in encoder.network.parameters())
    pixels = batch(encoder, pictures)
    first, second = encoder.encode_images(pixels), encoder.encode_images(pixels)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_classifier_is_no_strong_encoder(cvt_folder: Path) -> None:
    """An image classifier is refused with what it is and where it belongs."""
    with pytest.raises(EncoderError, match=r"\[weak\.NAME\]") as caught:
        blip(cvt_folder)
    assert caught.value.found == "CvtForImageClassification"


def test_missing_weights_are_not_drawn(blip_folder: Path, tmp_path: Path) -> None:
    """A checkpoint without its projections, a captioner's say, is refused, not filled up."""
    shutil.copytree(blip_folder, tmp_path / "less")
    state = load_file(tmp_path / "less" / "model.safetensors")
    kept = {name: value for name, value in state.items() if "_proj." not in name}
    save_file(kept, tmp_path / "less" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderError, match=r"4 missing, such as text_proj\.bias"):
        blip(tmp_path / "less")


def test_a_processor_of_another_size_is_refused(blip_folder: Path, tmp_path: Path) -> None:
    """Images that the network would not take are noticed before the first of them."""
    shutil.copytree(blip_folder, tmp_path / "other")
    (tmp_path / "other" / "preprocessor_config.json").write_text(
        '{"image_processor_type": "BlipImageProcessor", "size": {"height": 48, "width": 32}}'
    )
    with pytest.raises(EncoderError, match="expected images of 32×32 pixels, found 48×32"):
        blip(tmp_path / "other")
