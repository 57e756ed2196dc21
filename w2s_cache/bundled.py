"""Models that ship inside the package: their configuration and weights as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "encoders"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundledModel:
    """An open_clip model configuration (JSON) and its weights (safetensors)."""

    config: Path
    weights: Path


BUNDLED = {
    "pocket-clip": BundledModel(
        config=_FOLDER / "pocket_clip" / "pocket-clip.json",
        weights=_FOLDER / "pocket_clip" / "pocket-clip.safetensors",
    )
}
