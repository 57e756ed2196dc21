"""Where the shipped spec files are, and how one is loaded by name or path."""

from __future__ import annotations

from pathlib import Path

from w2s_cache.errors import SpecError, UnknownNameError
from w2s_cache.spec import Spec, not_toml, parse_spec


def spec_directory() -> Path:
    """The folder of the shipped specs: inside the wheel, else beside the package in a checkout."""
    package = Path(__file__).parent
    packaged = package / "_specs"
    return packaged if packaged.is_dir() else package.parent / "cache_specs"


def spec_names() -> list[str]:
    """Names of the shipped specs, sorted."""
    return sorted(path.stem for path in spec_directory().glob("*.toml"))


def load_spec(name_or_path: str) -> Spec:
    """Loads a shipped spec by name, or any spec by the path of its ``.toml`` file.

    Raises:
        UnknownNameError: No shipped spec has this name.
        SpecError: The file is missing or not a valid spec.
    """
    if not name_or_path.endswith(".toml"):
        if name_or_path not in spec_names():
            raise UnknownNameError("spec", name_or_path, spec_names())
        path = spec_directory() / f"{name_or_path}.toml"
    else:
        path = Path(name_or_path)
    if not path.is_file():
        raise SpecError(
            f"no spec at {path}",
            expected="a TOML file",
            found="nothing",
            fix="Check the path, or list the shipped specs with `w2s-cache specs`.",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise not_toml(str(path), error) from error
    return parse_spec(text, origin=str(path))
