"""Where things live and what decided it; specs that can be read; weights that are here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from w2s_cache.cache_home import CACHE_VARIABLE
from w2s_cache.counted import counted
from w2s_cache.doctor.finding import Finding
from w2s_cache.errors import W2SError
from w2s_cache.spec_files import load_spec, spec_directory, spec_names
from w2s_cache.store.contents import list_stores

SECTION = "places"
SHOWN = 10
VARIABLES = (
    *("W2S_CACHE_HOME", "W2S_CACHE_SPEC", "W2S_DATA_ROOT", "W2S_RESULTS_DIR"),
    *("W2S_STRONG_CHECKPOINT", "W2S_WEAK_CHECKPOINT"),
    *("HF_HOME", "HF_HUB_CACHE", "HF_ENDPOINT", "TORCH_HOME", "XDG_CACHE_HOME"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES", "HDF5_USE_FILE_LOCKING"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Folders in force. ``cache_named`` says whether an option named the cache home."""

    cache: Path
    cache_named: bool
    results: Path
    data_root: Path | None


def place_findings(places: Places) -> Iterator[Finding]:
    """Yields each folder with the rule that decided it, variables in force, specs and weights."""
    yield _found("cache home", f"{places.cache} (from {_rule(places)})")
    yield _contents(places.cache)
    yield _found("results", str(places.results))
    if places.data_root is None:
        yield _found("data root", "each spec's own (no --root, no W2S_DATA_ROOT)")
    else:
        yield _data_root(places.data_root)
    found = [f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ]
    yield _found("variables", ", ".join(found) or "none of ours in force")
    yield from _specs()
    for name, folder, pattern in _weight_folders():
        yield _weights(name, folder, pattern)


def hub_cache() -> Path:
    """Where huggingface_hub keeps downloads, by its own rules."""
    if named := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(named).expanduser()
    home = os.environ.get("HF_HOME")
    base = Path(home).expanduser() if home else _user_cache() / "huggingface"
    return base / "hub"


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser()


def _weight_folders() -> Iterator[tuple[str, Path, str]]:
    yield "hub weights", hub_cache(), "models--*"
    torch_home = os.environ.get("TORCH_HOME")
    base = Path(torch_home).expanduser() if torch_home else _user_cache() / "torch"
    yield "torch weights", base / "hub" / "checkpoints", "*"


def _rule(places: Places) -> str:
    if places.cache_named:
        return "--cache-dir"
    return CACHE_VARIABLE if os.environ.get(CACHE_VARIABLE) else "the user's cache folder"


def _contents(home: Path) -> Finding:
    stores = list(list_stores(home))
    broken = sum(entry.manifest is None for entry in stores)
    size = sum(entry.bytes for entry in stores)
    text = (
        f"{counted(len(stores), 'store')}, {size / 1e6:,.1f} MB" if stores else "nothing cached yet"
    )
    if broken:
        return Finding(
            section=SECTION,
            name="cache",
            level="warn",
            value=f"{text}, {broken} without a readable manifest",
            fix="Run `w2s-cache cache verify`: it says what is wrong.",
        )
    return _found("cache", text)


def _data_root(root: Path) -> Finding:
    if root.expanduser().is_dir():
        return _found("data root", str(root))
    value, fix = f"{root} is no folder", "Correct --root or W2S_DATA_ROOT."
    return Finding(section=SECTION, name="data root", level="fail", value=value, fix=fix)


def _specs() -> Iterator[Finding]:
    sound = []
    for name in spec_names():
        try:
            sound.append(load_spec(name).name)
        except W2SError as error:
            yield Finding(
                section=SECTION, name=f"spec {name}", level="fail", value=error.found, fix=error.fix
            )
    value = f"{', '.join(sound) or 'none'} in {spec_directory()}"
    if sound:
        yield _found("specs", value)
        return
    fix = "Install w2s-cache again: its specs are missing."
    yield Finding(section=SECTION, name="specs", level="fail", value=value, fix=fix)


def _weights(name: str, folder: Path, pattern: str) -> Finding:
    found = sorted(path.name for path in folder.glob(pattern)) if folder.is_dir() else []
    if not found:
        return _found(name, f"none in {folder}")
    names = [item.removeprefix("models--").replace("--", "/") for item in found[:SHOWN]]
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return _found(name, f"{', '.join(names)}{more} in {folder}")


def _found(name: str, value: str) -> Finding:
    return Finding(section=SECTION, name=name, level="ok", value=value)
