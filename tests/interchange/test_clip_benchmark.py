"""Laws of CLIP_benchmark's folder; its files are written here as that program writes them."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from w2s_cache.errors import ImportedFeaturesError
from w2s_cache.store.feature_set import open_member


@pytest.fixture
def raw() -> np.ndarray:
    """Features of art in index order."""
    return np.random.default_rng(3).normal(size=(12, 4)).astype(np.float32)


@pytest.fixture
def folder(house, raw, tmp_path) -> Path:
    """A run that read each split in the order of the index."""
    index, made = house.inputs().index, tmp_path / "run"
    made.mkdir()
    for split, rows in (("train", index.is_train), ("test", ~index.is_train)):
        torch.save(torch.from_numpy(raw[rows]), made / f"features_{split}.pt")
        torch.save(torch.from_numpy(index.labels[rows]), made / f"targets_{split}.pt")
    return made


def lists(house, folder: Path) -> str:
    """The paths of each split in the order they were read; the name of the lists."""
    index = house.inputs().index
    for split, rows in (("train", index.is_train), ("test", ~index.is_train)):
        paths = [path for path, here in zip(index.paths, rows, strict=True) if here]
        (folder / f"rows_{split}.txt").write_text("\n".join(paths) + "\n")
    return str(folder / "rows_{split}.txt")


def test_the_order_of_the_index_has_to_be_claimed(house, folder, raw):
    """Without paths nothing is guessed; the index's order is taken when it is named."""
    with pytest.raises(ImportedFeaturesError, match="--row-order"):
        house.bring(folder)
    house.bring(folder, order="index")
    assert np.array_equal(house.inputs(strong="theirs").features, raw)
    key = open_member(house.home, house.feature_set(strong="theirs").image).manifest.key
    assert key["source"]["order"] == "index"


def test_another_order_comes_in_files(house, folder, raw, tmp_path):
    """Rows read in any order are matched by lists of paths, which are part of the key."""
    shuffled = np.random.default_rng(4).permutation(6)
    order = lists(house, tmp_path)
    file = Path(order.replace("{split}", "train"))
    lines = file.read_text().splitlines()
    file.write_text("\n".join(lines[row] for row in shuffled))
    for name in ("features", "targets"):
        torch.save(torch.load(folder / f"{name}_train.pt")[shuffled], folder / f"{name}_train.pt")
    house.bring(folder, order=order)
    assert np.array_equal(house.inputs(strong="theirs").features, raw)
    key = open_member(house.home, house.feature_set(strong="theirs").image).manifest.key
    assert len(key["source"]["files"]) == 6


@pytest.mark.parametrize("kind", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(house, folder, raw, kind):
    """Both half types of autocast are read."""
    for split in ("train", "test"):
        file = folder / f"features_{split}.pt"
        torch.save(torch.load(file).to(kind), file)
    house.bring(folder, order="index")
    wanted = torch.from_numpy(raw).to(kind).float()
    assert torch.equal(house.inputs(strong="theirs").features, wanted)


def swapped(folder: Path) -> None:
    """Two rows of different classes in each other's place."""
    targets = torch.load(folder / "targets_test.pt")
    torch.save(targets.flip(0), folder / "targets_test.pt")


def fewer(folder: Path) -> None:
    """A target less than features."""
    torch.save(torch.load(folder / "targets_test.pt")[:-1], folder / "targets_test.pt")


def a_dictionary(folder: Path) -> None:
    """Tensors, but not one."""
    torch.save({"x": torch.zeros(3)}, folder / "features_test.pt")


def with_validation(folder: Path) -> None:
    """Some of train were kept for validation, by a draw nobody knows."""
    for name in ("features", "targets"):
        train = torch.load(folder / f"{name}_train.pt")
        torch.save(train[:2].clone(), folder / f"{name}_val.pt")
        torch.save(train[2:].clone(), folder / f"{name}_train.pt")


FAULTS = {
    "swapped": (swapped, "expected the class numbers of the index"),
    "fewer": (fewer, "6 class numbers in targets_test.pt"),
    "no targets": (lambda folder: (folder / "targets_test.pt").unlink(), "targets_test.pt"),
    "no test": (
        lambda folder: [(folder / f"{n}_test.pt").unlink() for n in ("features", "targets")],
        "official split, train 6, test 6 rows, found train 6",
    ),
    "validation": (with_validation, "found train 4, val 2, test 6"),
    "dictionary": (a_dictionary, "one tensor in features_test.pt, found a dict"),
    "interrupted": (
        lambda folder: torch.save(torch.zeros(1), folder / "features_test_cache_0.pt"),
        "features_test_cache_0.pt",
    ),
    "cut short": (
        lambda folder: (folder / "features_test.pt").write_bytes(b"PK\x03\x04"),
        "a tensor in features_test.pt",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_fit_is_refused(house, folder, fault):
    """Class numbers, counts and splits are compared before anything is written."""
    spoil, said = FAULTS[fault]
    spoil(folder)
    before = house.files()
    with pytest.raises(ImportedFeaturesError, match=said):
        house.bring(folder, order="index")
    assert house.files() == before


class Trap:
    """Calls a function when it is unpickled."""

    def __reduce__(self):
        return Path.touch, (Path("sprung"),)


def test_a_pickle_is_never_run(house, folder, tmp_path, monkeypatch):
    """A file that would run code is refused and runs none."""
    monkeypatch.chdir(tmp_path)
    (folder / "features_test.pt").write_bytes(pickle.dumps(Trap(), protocol=2))
    with pytest.raises(ImportedFeaturesError, match=r"features_test.pt, written by torch.save"):
        house.bring(folder, order="index")
    assert not Path("sprung").exists()


@pytest.mark.parametrize(
    ("name", "lines", "said"),
    [
        ("rows.txt", None, "one list of paths for each of train, test"),
        ("{split}.txt", None, "a text file of paths"),
        ("{split}.txt", ["art/blue/00.png"], "6 paths, one per row of features, found 1"),
        ("{split}.txt", ["x.png"] * 6, "'x.png' more than once"),
    ],
)
def test_lists_that_do_not_fit_are_refused(house, folder, tmp_path, name, lines, said):
    """A list for all splits, an absent, a short or a wrong one is named."""
    for split in ("train", "test"):
        if lines is not None:
            (tmp_path / f"{split}.txt").write_text("\n".join(lines))
    with pytest.raises(ImportedFeaturesError, match=said):
        house.bring(folder, order=str(tmp_path / name))
