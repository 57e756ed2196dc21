"""Which sections of a spec a pair of model names means, what overrides them, what they ask for."""

from __future__ import annotations

from dataclasses import dataclass

from w2s_cache.bundled import BUNDLED
from w2s_cache.request import IMPORTED, feature_request
from w2s_cache.spec import Decoder, Precision, Spec, StrongSpec, WeakSpec, choose
from w2s_cache.store.fingerprint import digest


@dataclass(frozen=True, kw_only=True, slots=True)
class Overrides:
    """What is said of the models beside the spec; None keeps what the spec says.

    Attributes:
        precision: Compute precision of the strong encoder.
        decoder: How both models see images.
        strong_checkpoint: Local weights file of the strong encoder.
        weak_checkpoint: Local weights file the weak model starts from.
    """

    precision: Precision | None = None
    decoder: Decoder | None = None
    strong_checkpoint: str | None = None
    weak_checkpoint: str | None = None


AS_DECLARED = Overrides()


def strong_section_of(
    spec: Spec, name: str | None, overrides: Overrides = AS_DECLARED
) -> tuple[str, StrongSpec]:
    """A section of the spec, the first without a name, or one made on the spot.

    ``ARCH,TAG`` means that model of open_clip, as does the name of one that ships here; any other
    name that is no section means features imported as that, which nothing said beside the spec
    changes. Whether there are such features only the cache knows.
    """
    if name is not None and name not in spec.strong:
        templates = next(iter(spec.strong.values())).templates
        if name not in BUNDLED and not any(mark in name for mark in ",:/"):
            return name, StrongSpec(library=IMPORTED, model=name, templates=templates)
        section = StrongSpec(model=name, templates=templates)
    else:
        name, section = choose("strong encoder", name, spec.strong)
    said = {
        "precision": overrides.precision,
        "decoder": overrides.decoder,
        "checkpoint": overrides.strong_checkpoint,
    }
    return name, section.model_copy(update={k: v for k, v in said.items() if v is not None})


def weak_section_of(
    spec: Spec, name: str | None, overrides: Overrides = AS_DECLARED
) -> tuple[str, WeakSpec | None]:
    """A section of the spec, the first without a name; other names mean logits imported as that."""
    if name is not None and name not in spec.weak:
        return name, None
    name, section = choose("weak model", name, spec.weak)
    said = {"decoder": overrides.decoder, "checkpoint": overrides.weak_checkpoint}
    return name, section.model_copy(update={k: v for k, v in said.items() if v is not None})


def request_digest(
    spec: Spec, *, strong: str, weak: str, overrides: Overrides = AS_DECLARED
) -> str:
    """Digest of what the spec asks the cache for now, for a pair of models by name.

    Raises:
        SpecError: A checkpoint file is missing.
    """
    _, strong_section = strong_section_of(spec, strong, overrides)
    _, weak_section = weak_section_of(spec, weak, overrides)
    return digest(feature_request(spec, strong=strong_section, weak=weak_section))
