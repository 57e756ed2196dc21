"""Spellings of open_clip models → (architecture, tag).

Accepted: ``ARCH,TAG`` (CLIP_benchmark), ``ARCH:TAG``, OpenAI's own ``ViT-B/32`` and ``RN50``,
``hf-hub:ORG/REPO``, ``local-dir:PATH`` and a bare ``ARCH`` for use with a local checkpoint.
"""

from __future__ import annotations

_OPENAI = (
    "RN50", "RN101", "RN50x4", "RN50x16", "RN50x64",
    "ViT-B/32", "ViT-B/16", "ViT-L/14", "ViT-L/14@336px",
)  # fmt: skip


def split_model_name(name: str) -> tuple[str, str | None]:
    """Returns (architecture, tag); the tag is None where the name carries none.

    OpenAI's spellings mean OpenAI's weights, which were trained with QuickGELU, so they map to the
    ``-quickgelu`` architectures.
    """
    if name.startswith(("hf-hub:", "local-dir:")):
        return name, None
    if name in _OPENAI:
        architecture = name.replace("/", "-").replace("@336px", "-336")
        return f"{architecture}-quickgelu", "openai"
    for separator in (",", ":"):
        architecture, found, tag = name.partition(separator)
        if found:
            return architecture.strip().replace("/", "-"), tag.strip()
    return name.strip().replace("/", "-"), None
