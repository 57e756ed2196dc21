"""Where the shipped spec files are, and how one is loaded by name or path."""

from __future__ import annotations

import re
from pathlib import Path

from w2s_cache.errors import SpecError, UnknownNameError
from w2s_cache.spec import SPEC_NAME, Spec, parse_spec
from w2s_cache.validation import not_toml


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


def copy_spec(name: str, file: Path) -> None:
    """Writes a shipped spec, comments and all, under a name of its own: the file's without suffix.

    Two data sets of one name would share a place in the cache, so that each extraction would make
    the features of the other stale.

    Raises:
        UnknownNameError: No shipped spec has this name.
        SpecError: A file name that names no spec, a file that exists or cannot be written.
    """
    if name not in spec_names():
        raise UnknownNameError("spec", name, spec_names())
    if file.suffix != ".toml" or not re.fullmatch(SPEC_NAME, file.stem):
        raise SpecError(
            f"no spec can be called {file.name}",
            expected="NAME.toml with NAME of lower-case letters, digits, '.', '_' and '-'",
            found=repr(file.name),
            fix="Choose another file name: data set, cache and tables are called like it.",
        )
    text = (spec_directory() / f"{name}.toml").read_text(encoding="utf-8")
    renamed = re.sub(r"(?m)^name = .*$", f'name = "{file.stem}"', text, count=1)
    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(renamed)
    except OSError as error:
        exists = isinstance(error, FileExistsError)
        raise SpecError(
            f"spec {file} cannot be written",
            expected="a file that does not exist yet, in a folder that can be written to",
            found="a file of that name" if exists else error.strerror or str(error),
            fix="Choose another file name, or edit the one that exists.",
        ) from error
