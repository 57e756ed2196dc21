"""Whether a method can run on features at all, or lacks class text or a text tower for good."""

from __future__ import annotations

from w2s_cache.method import Method
from w2s_cache.store.feature_set import FeatureSet
from w2s_cache.train.inputs import DomainInputs


def lacking(method: Method, features: FeatureSet, inputs: DomainInputs) -> str:
    """Why a method is not applicable to a domain's features; empty where it is."""
    imported = features.request.get("strong") == {"imported": True}
    towerless = method.needs_tower and inputs.logit_scale is None  # anchors come without one
    textless = method.needs_text and inputs.text is None
    if imported and method.needs_tower:
        return f"{features.strong} are imported features"
    if imported and textless:
        return f"{features.strong} was imported without class text; import it again with --text"
    return "the strong encoder has no text tower" if towerless or textless else ""
