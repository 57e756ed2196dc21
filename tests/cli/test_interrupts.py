"""Ctrl-C: exit code 130, one sentence, and the same command goes on."""

from __future__ import annotations

import pytest

from w2s_cache.extract import domain as extract_domain_module
from w2s_cache.extract import encode
from w2s_cache.train import study

SENTENCE = "Interrupted. What was finished is kept; the same command goes on from there.\n"


def interrupt(*_: object, **__: object) -> None:
    """Stands for a person's Ctrl-C."""
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("module", "name"),
    [(extract_domain_module, "build_index"), (encode, "decode_ahead")],
    ids=["while indexing", "while encoding"],
)
def test_an_interrupted_extract_goes_on(place, w2s, tmp_path, monkeypatch, module, name):
    """Ctrl-C ends with 130 and a sentence; afterwards the same command completes the domain."""
    command = ("extract", "--spec", place.spec, "--cache-dir", tmp_path, "--domain", "art")
    with monkeypatch.context() as patch:
        patch.setattr(module, name, interrupt)
        told = w2s(*command)
    assert told.exit_code == 130
    assert told.stdout == ""
    assert told.stderr.endswith(SENTENCE)
    kept = {part.parent.parent.name for part in tmp_path.rglob("part-*")}
    assert kept <= {"text"}, "class text is stored before images, nothing else is"
    assert w2s(*command).exit_code == 0


def test_an_interrupted_train_keeps_finished_runs(cached, w2s, tmp_path, monkeypatch):
    """Runs before the Ctrl-C are kept whole and reused afterwards."""
    where = ("--cache-dir", cached.cache, "--results-dir", tmp_path, "--domain", "art")
    command = ("train", "--spec", cached.spec, *where, "--method", "weak,zero-shot")
    real = study.run

    def second_is_interrupted(request, inputs, results_dir):
        if request.method == "zero-shot":
            raise KeyboardInterrupt
        return real(request, inputs, results_dir)

    with monkeypatch.context() as patch:
        patch.setattr(study, "run", second_is_interrupted)
        assert w2s(*command).exit_code == 130
    assert len(list(tmp_path.rglob("record.json"))) == 2
    told = w2s(*command).stdout.splitlines()
    assert ["reused" in line for line in told] == [True, False]
