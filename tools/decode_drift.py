"""How far features of the fast decoder are from those of a library's own transform.

Run: ``python tools/decode_drift.py --root DIR [--library timm --model NAME --checkpoint FILE]``

``DIR`` holds images, each in a folder of its class. Printed are the cosines between both features
of every image, and how many images change class: under zero-shot where the model has a text tower
("a photo of a CLASS"), else under the nearest class mean of the library's own features.
``--mosaic 4`` first joins the images of one parent folder, 4×4 at a time, into large JPEGs, which
are decoded scaled down and have all the detail that small images put side by side have.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from w2s_cache.data.decode import decode_ahead
from w2s_cache.data.images import read_image
from w2s_cache.encoders.catalogue import load_encoder

_SUFFIXES = {".jpg", ".jpeg", ".png"}
_SIDE = 227  # pixels of one tile


def main() -> None:
    """Encodes everything twice and prints three lines."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--library", default="open_clip")
    parser.add_argument("--model", default="pocket-clip")
    parser.add_argument("--checkpoint")
    parser.add_argument("--mosaic", type=int, default=1)
    options = parser.parse_args()
    paths = sorted(p for p in options.root.rglob("*") if p.suffix.lower() in _SUFFIXES)
    with tempfile.TemporaryDirectory() as folder:
        if options.mosaic > 1:
            paths = list(mosaics(paths, options.mosaic, Path(folder)))
        model = (options.library, options.model, options.checkpoint)
        own, fast = (encoder_of(*model, decoder=name) for name in ("pillow", "fast"))
        features = [encoded(encoder, paths) for encoder in (own, fast)]
        report(paths, fast.preprocess.at_least, *features)
    if options.mosaic == 1:
        print(flips(own, [path.parent.name for path in paths], *features))


def encoder_of(library: str, model: str, checkpoint: str | None, *, decoder: str) -> Any:
    """The encoder with one of the decoders, on the CPU."""
    where = {"checkpoint": checkpoint, "precision": "fp32", "device": "cpu"}
    return load_encoder(library, model, **where, decoder=decoder)


def encoded(encoder: Any, paths: list[Path]) -> Tensor:
    """Unit features (n, d)."""
    batches = decode_ahead(paths, encoder.preprocess, batch_size=64, workers=1)
    rows = [encoder.encode_images(batch.pixels)["features"] for batch in batches]
    return functional.normalize(torch.cat(rows), dim=-1)


def report(paths: list[Path], at_least: int, own: Tensor, fast: Tensor) -> None:
    """Prints how many images were decoded scaled down, and the cosines."""
    whole = [read_image(path).size for path in paths]
    small = [read_image(path, at_least=at_least).size for path in paths]
    scaled = sum(one != other for one, other in zip(whole, small, strict=True))
    cosines = (own.double() * fast.double()).sum(-1)
    print(f"{len(paths)} images, {scaled} of them decoded scaled down")
    print(f"cosine of both features: mean {cosines.mean():.5f}, least {cosines.min():.5f}")


def flips(encoder: Any, classes: list[str], own: Tensor, fast: Tensor) -> str:
    """How many images change class."""
    names = sorted(set(classes))
    labels = torch.tensor([names.index(name) for name in classes])
    if encoder.text is None:
        how = "nearest class mean"
        vectors = torch.stack([own[labels == k].mean(0) for k in range(len(names))])
    else:
        how = "zero-shot"
        texts = [f"a photo of a {name.replace('_', ' ')}" for name in names]
        vectors = encoder.text.encode_text(encoder.text.tokenize(texts))
    scores = [features @ functional.normalize(vectors, dim=-1).T for features in (own, fast)]
    one, other = (score.argmax(-1) for score in scores)
    right = [f"{100 * (named == labels).double().mean():.2f}" for named in (one, other)]
    return (
        f"{how}: {int((one != other).sum())} of {len(one)} images change class; "
        f"accuracy {right[0]} → {right[1]} %"
    )


def mosaics(paths: list[Path], tiles: int, folder: Path) -> Iterator[Path]:
    """Joins images of one folder in reading order, ``tiles`` by ``tiles``; the rest is left out."""
    for parent in sorted({path.parent for path in paths}):
        mine = [path for path in paths if path.parent == parent]
        for number in range(len(mine) // tiles**2):
            sheet = Image.new("RGB", (tiles * _SIDE, tiles * _SIDE))
            for place, path in enumerate(mine[number * tiles**2 :][: tiles**2]):
                tile = read_image(path).resize((_SIDE, _SIDE))
                sheet.paste(tile, (place % tiles * _SIDE, place // tiles * _SIDE))
            target = folder / f"{parent.parent.name}-{parent.name}-{number:04d}.jpg"
            sheet.save(target, quality=90)
            yield target


if __name__ == "__main__":
    main()
