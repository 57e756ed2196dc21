"""What a person who installs the wheel gets."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Names of all files of the wheel, built without isolation, hence without network."""
    folder = tmp_path_factory.mktemp("wheel")
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return zipfile.ZipFile(wheel).namelist()


def test_the_top_level_is_two_packages(contents):
    """Nothing but `w2s_cache`, `w2s_cache_cli` and the metadata reaches site-packages."""
    top = {name.partition("/")[0] for name in contents}
    assert {name for name in top if not name.endswith(".dist-info")} == {
        "w2s_cache",
        "w2s_cache_cli",
    }
    assert len(top) == 3


def test_specs_and_the_small_clip_are_inside(contents):
    """Shipped specs, table layouts and the pocket CLIP work without a checkout."""
    clip = "w2s_cache/encoders/pocket_clip/pocket-clip"
    assert {f"{clip}.json", f"{clip}.safetensors"} <= set(contents)
    specs = {path.relative_to(ROOT / "cache_specs") for path in ROOT.glob("cache_specs/**/*.toml")}
    assert {f"w2s_cache/_specs/{path.as_posix()}" for path in specs} <= set(contents)
    assert not [name for name in contents if "__pycache__" in name or "tests" in name]


def test_the_folder_of_the_command_line_is_no_package():
    """`cli` is a source root; as a package of that name it would collide with others'."""
    assert not (ROOT / "cli" / "__init__.py").exists()
