"""Laws of the catalogue: built-in libraries, and those of other packages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from w2s_cache.encoders.catalogue import LOADERS, load_encoder
from w2s_cache.errors import UnknownNameError


def install(folder: Path, module: str) -> None:
    """Lay out a package with an encoder entry point, as an installer would."""
    (folder / f"{module}.py").write_text("def load(model, **means):\n    return model, means\n")
    about = folder / f"{module}-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[w2s_cache.encoders]\nminiature = {module}:load\n")


def test_an_encoder_of_another_package_is_found_by_its_entry_point(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed entry point is a library; its loader gets all that the spec says."""
    install(tmp_path, "miniature_encoders")
    monkeypatch.syspath_prepend(str(tmp_path))
    found: Any = load_encoder("miniature", "m", checkpoint="c", precision="bf16", device="cpu")
    model, means = found
    assert model == "m"
    assert means == {"checkpoint": "c", "precision": "bf16", "device": "cpu"}
    monkeypatch.delitem(sys.modules, "miniature_encoders")


def test_an_unknown_library_is_offered_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt library is refused with the built-in and the installed names."""
    install(tmp_path, "miniature_encoders")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(UnknownNameError, match="Did you mean 'open_clip'") as caught:
        load_encoder("openclip", "m", checkpoint=None, precision="fp32", device="cpu")
    assert {*LOADERS, "miniature"} <= set(caught.value.known)
