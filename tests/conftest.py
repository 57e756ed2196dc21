"""Settings and tiny images that all tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

settings.register_profile("w2s-cache", deadline=None)  # no test asserts a time
settings.load_profile("w2s-cache")


def colour_folders(
    root: Path, domain: str, *, per_class: int, classes: tuple[str, ...] = ("blue", "green", "red")
) -> Path:
    """Write ``<root>/<domain>/<class>/*.png``: noise of 40×36 pixels, one channel bright by class.

    Returns:
        The root.
    """
    for label, name in enumerate(classes):
        folder = root / domain / name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            generator = np.random.default_rng([label, number])
            pixels = generator.integers(0, 90, (36, 40, 3), dtype=np.uint8)
            pixels[..., label % 3] += 120
            Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return root


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Tiny networks are slower on several threads, the more so on a busy machine."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def bytes_read() -> Callable[[], int]:
    """A function: how many bytes this process has read so far, by whatever library."""
    counters = Path("/proc/self/io")
    if not counters.exists():
        pytest.skip("only Linux counts the bytes that a process reads")
    return lambda: int(counters.read_text().split("rchar: ")[1].split()[0])


@pytest.fixture
def shards_read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The shard files that were read and hashed as a whole, one entry for each time."""
    from w2s_cache.store import shard

    found: list[Path] = []
    reads = shard.read_hashed

    def noted(path: Path, buffer: np.ndarray) -> tuple[int, str]:
        found.append(path)
        return reads(path, buffer)

    monkeypatch.setattr(shard, "read_hashed", noted)
    return found


@pytest.fixture(scope="session")
def colours() -> Callable[..., Path]:
    """The writer of small separable images in class folders."""
    return colour_folders


def write_blip(folder: Path) -> Path:
    """A tiny BLIP retrieval model of random numbers, saved as the hub keeps them."""
    import torch
    import transformers

    text = {"vocab_size": 40, "hidden_size": 24, "encoder_hidden_size": 32, "pad_token_id": 0}
    vision = {"hidden_size": 32, "image_size": 32, "patch_size": 8}
    small = {"num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 40}
    config = transformers.BlipConfig(
        text_config={**text, **small, "max_position_embeddings": 40},
        vision_config={**vision, **small},
        image_text_hidden_size=16,
    )
    with torch.random.fork_rng():
        torch.manual_seed(7)
        network = transformers.BlipForImageTextRetrieval(config)
        for weight in network.parameters():
            weight.data += 0.05 * torch.randn_like(weight)
    network.save_pretrained(folder)
    words = "[PAD] [UNK] [CLS] [SEP] [MASK] a photo of sketch the cat dog hot air balloon"
    (folder / "vocab.txt").write_text("\n".join(words.split()) + "\n")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    (folder / "preprocessor_config.json").write_text(
        '{"image_processor_type": "BlipImageProcessor", "size": {"height": 32, "width": 32}}'
    )
    return folder


def write_cvt(folder: Path) -> Path:
    """A tiny CvT classifier of five classes; the processor is written as microsoft/cvt-13's is."""
    import torch
    import transformers

    config = transformers.CvtConfig(
        embed_dim=[8, 16, 24], num_heads=[1, 2, 3], depth=[1, 2, 3], num_labels=5
    )
    with torch.random.fork_rng():
        torch.manual_seed(7)
        transformers.CvtForImageClassification(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(
        '{"feature_extractor_type": "ConvNextFeatureExtractor", "size": 32, "crop_pct": 0.875, '
        '"resample": 3, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}'
    )
    return folder


@pytest.fixture(scope="session")
def blip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a tiny BLIP; tests that change it work on a copy."""
    return write_blip(tmp_path_factory.mktemp("blip"))


@pytest.fixture(scope="session")
def cvt_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a tiny CvT classifier; tests that change it work on a copy."""
    return write_cvt(tmp_path_factory.mktemp("cvt"))


def tiny_text_tower(width: int) -> Any:
    """A causal open_clip text tower of two layers with random weights and ``width`` features."""
    import open_clip
    import torch
    from open_clip.model import CLIP

    from w2s_cache.encoders.openclip import OpenClipEncoder
    from w2s_cache.encoders.text_tower import attach_text_tower

    vision = {"image_size": 8, "patch_size": 4, "width": 16, "layers": 1, "head_width": 8}
    text = {"context_length": 77, "width": 16, "heads": 2, "layers": 2}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = CLIP(width, vision, text)
    encoder = OpenClipEncoder(
        architecture="ViT-B-32",
        network=network.eval().requires_grad_(False),
        image_weights="",
        text_weights="",
        transform=lambda image: image,
        tokenizer=open_clip.SimpleTokenizer(),
        precision="fp32",
        device="cpu",
    )
    return attach_text_tower(encoder)


@pytest.fixture(scope="session")
def text_tower() -> Any:
    """A tiny text tower of eight features, float32; tests leave it as it is."""
    return tiny_text_tower(8)
