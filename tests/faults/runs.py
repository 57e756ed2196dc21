"""Faults while a run record is published, and while a weak model is kept."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from faults.extraction import CLASSES, DOMAIN, Extraction
from faults.judge import Tally
from faults.place import emptied
from w2s_cache.results import check_run, find_runs
from w2s_cache.spec import WeakSpec
from w2s_cache.train.study import Study, run_study
from w2s_cache.weak.checkpoint import weak_classifier

METHODS = ("lp-kd", "zero-shot")  # one that leaves all four files, one that leaves two


@dataclass(kw_only=True)
class Runs:
    """Training two methods from a whole home into a results folder.

    Attributes:
        extraction: What the features are of.
        home: A whole cache home.
        results: Where runs go.
        repeated: Whether whole runs of before lie there, to be replaced by the same again.
        tally: What was seen so far.
    """

    extraction: Extraction
    home: Path
    results: Path
    repeated: bool = False
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        """Trains once without interruption; those predictions are the truth."""
        self.work_from(emptied(self.results))
        self.truth = _predictions(self.results)
        self.older = self.results.with_name("older")
        shutil.copytree(self.results, self.older)
        for head in self.older.rglob("head.safetensors"):
            head.write_bytes(b"")  # damaged, so that it is run again
        for table in self.older.rglob("zero-shot/*/predictions.parquet"):
            table.unlink()

    @property
    def below(self) -> Path:
        """The folder in which calls count."""
        return self.results

    def fresh(self) -> None:
        """No runs, or those of before."""
        emptied(self.results)
        if self.repeated:
            shutil.copytree(self.older, self.results, dirs_exist_ok=True)

    def work(self) -> None:
        """Trains what is not there."""
        self.work_from(self.results)

    def work_from(self, results: Path) -> None:
        """Trains what is not in a results folder."""
        spec = self.extraction.spec
        study = Study(
            spec=spec,
            strong_name="means",
            strong=spec.strong["means"],
            weak_name="theirs",
            weak=None,
            domains=(DOMAIN,),
            methods=METHODS,
            seeds=(0,),
            options={},
            device="cpu",
        )
        list(run_study(study, home=self.home, results_dir=results))

    def judge(self) -> None:
        """Each run is there whole or not at all; the same again completes them."""
        records = find_runs(self.results)
        new = 0
        for method in METHODS:
            for run in self.results.glob(f"*/*/{method}/[!.]*"):
                broken = check_run(run)
                assert not broken or self._is_of_before(run), broken
                new += not broken
        assert len(records) <= len(METHODS)
        self.tally.whole += new == len(METHODS)
        self.work()
        assert _predictions(self.results) == self.truth
        runs = [run for run in self.results.glob("*/*/*/[!.]*") if run.is_dir()]
        assert [check_run(run) for run in runs] == [[]] * len(METHODS)
        self.tally.leftovers += len(list(self.results.glob("*/*/*/.*")))

    def _is_of_before(self, run: Path) -> bool:
        """Whether a run is, byte by byte, the damaged one that was to be replaced."""
        old = self.older / run.relative_to(self.results)
        return self.repeated and _bytes(old) == _bytes(run)


@dataclass(kw_only=True)
class WeakModel:
    """Keeping a weak model that took long to train.

    Attributes:
        folder: Where it is kept.
        trained: How often it was trained, by children too where ``trained`` is shared.
        tally: What was seen so far.
    """

    folder: Path
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        """Trains once without interruption; those files are the truth."""
        self.fresh()
        self.identity = self._get()[0]
        self.files = _bytes(self.folder)

    @property
    def below(self) -> Path:
        """The folder in which calls count."""
        return self.folder

    def fresh(self) -> None:
        """No model."""
        emptied(self.folder)

    def work(self) -> None:
        """Trains and keeps it."""
        self._get()

    def judge(self) -> None:
        """It is there whole or trained again; afterwards its files are the ones they should be."""
        identity, trained = self._get()
        self.tally.whole += not trained
        assert identity == self.identity
        assert _bytes(self.folder) == self.files
        assert self._get(train=_never) == (self.identity, False)

    def _get(self, train: Callable[..., None] | None = None) -> tuple[dict[str, Any], bool]:
        weak = WeakSpec(model="test_resnet", image_size=32)
        classifier, trained = weak_classifier(
            lambda key: self.folder / key,
            weak=weak,
            classes=CLASSES,
            trained_on="0" * 64,
            device="cpu",
            train=train or _nudge,
        )
        return dict(classifier.identity()), trained


def _nudge(network: Any, *_: object) -> None:
    with torch.no_grad():
        for weight in network.parameters():
            weight.add_(0.01)


def _never(*_: object) -> None:
    raise AssertionError("trained again")


def _bytes(folder: Path) -> dict[str, str]:
    """Digest of every file below a folder but locks and notes, which are hidden."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name[0] != ".")
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
    }


def _predictions(results: Path) -> dict[str, str]:
    """Digests of all predictions and heads; records carry times."""
    kept = _bytes(results).items()
    return {
        name: value for name, value in kept if not name.endswith("record.json") and "/." not in name
    }
