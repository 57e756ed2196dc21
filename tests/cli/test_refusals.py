"""Bad input: one sentence of four parts, exit code 1, and nothing half-written."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

SENTENCE = re.compile(r"Error: .+: expected .+, found .+\. [A-Z].*[.?]\n", re.DOTALL)


def refused(result) -> str:
    """The one sentence of a failed command, checked for its form."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.stderr
    assert result.stderr.count("Error: ") == 1
    sentence = result.stderr[result.stderr.index("Error: ") :]
    assert SENTENCE.fullmatch(sentence), sentence
    return sentence


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--root", "/no/such/folder"], ["data root /no/such/folder", "no such folder", "--root"]),
        (["--domain", "arts"], ["unknown domain of tiny", "'arts'", "Did you mean 'art'"]),
        (["--strong", "clop"], ["unknown strong encoder", "Did you mean 'clip'"]),
        (["--weak", "nett"], ["unknown weak model", "Did you mean 'net'"]),
        (["--weak-logits", "no.csv", "--weak", "net"], ["imported logits", "[weak.net]"]),
        (["--weak-logits", "{name}/no.csv"], ["weak logits {name}/no.csv", "no such file"]),
        (["--device", "abacus"], ["device 'abacus'"]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_extract_refuses(place, w2s, tmp_path, options, words):
    """What `extract` cannot work with is named, and no feature is stored."""
    told = w2s("extract", "--spec", place.spec, "--cache-dir", tmp_path, *options)
    sentence = refused(told)
    assert all(word in sentence for word in words), sentence
    assert not list(tmp_path.rglob("manifest.json"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--method", "cpll"], ["unknown method", "'cpll'", "'cpl'"]),
        (["--method", "weak,cpll"], ["unknown method", "'cpll'"]),
        (["--domain", "arts"], ["unknown domain of tiny", "Did you mean 'art'"]),
        (["--strong", "clop"], ["unknown strong encoder", "Did you mean 'clip'"]),
        (["--weak", "nett"], ["unknown weak model", "'nett'", "Did you mean 'net'"]),
        (["--strong", "RN50,openai"], ["no features of RN50,openai and net", "clip and net"]),
        (["--strong", "RN50,openai", "--domain", "art"], ["on tiny", "in the cache are clip"]),
        (["--method", "cpl", "--set", "tua=1"], ["no hyper-parameter 'tua'", "tau"]),
        (["--method", "cpl", "--set", "tau=hot"], ["hyper-parameter tau of cpl", "'hot'"]),
        (["--method", "cpl", "--set", 'tau=[1,"hot"]'], ["'hot'. Correct --set tau."]),
        (["--method", "cpl", "--set", "tau=[]"], ["tau has no candidates"]),
        (["--method", "pooled-lda", "--set", "weak_share=NaN"], ["exponent weak_share", "nan"]),
        (["--method", "cpl", "--set", f"recipe.batch_size={10**23}"], ["less than 2147483648"]),
        (["--method", "pooled-mixture", "--set", "steps=2147483648"], ["steps", "0 to 10000"]),
        (["--device", "abacus"], ["device 'abacus'"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) and value[0][0] == "-" else None,
)
def test_train_refuses_before_the_first_run(cached, w2s, tmp_path, options, words):
    """What `train` cannot work with is named before anything is trained."""
    where = ("--cache-dir", cached.cache, "--results-dir", tmp_path / "results")
    sentence = refused(w2s("train", "--spec", cached.spec, *where, *options))
    assert all(word in sentence for word in words), sentence
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("domains", ["", 'domains = ["art", "photo"]'], ids=["found", "named"])
def test_training_before_extraction_is_refused(place, w2s, tmp_path, domains):
    """Without features the next step is named, whether or not the spec names the domains."""
    spec = place.edited("test_fraction = 0.6", f"test_fraction = 0.6\n{domains}", tmp_path)
    where = ("--cache-dir", tmp_path / "cache", "--results-dir", tmp_path / "results")
    assert "w2s-cache extract" in refused(w2s("train", "--spec", spec, *where))
    assert list(tmp_path.iterdir()) == [spec]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('templates = ["plain"]', 'templates = ["openai7"]', "strong.templates"),
        ("image_size = 32", "image_size = 24", "weak.image_size"),
        ("test_fraction = 0.6", "test_fraction = 0.5", "data.test_fraction"),
    ],
)
def test_training_after_an_edit_of_the_spec_names_the_field(cached, w2s, tmp_path, old, new, field):
    """Features of another spec are stale, and the field that differs is named."""
    spec = cached.edited(old, new, tmp_path)
    where = ("--cache-dir", cached.cache, "--results-dir", tmp_path / "results")
    sentence = refused(w2s("train", "--spec", spec, *where))
    assert field in sentence
    assert "w2s-cache extract" in sentence
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("test_fraction", "test_fractoin", ["data.test_fractoin", "Did you mean 'test_fraction'"]),
        ("batch_size = 16", "batchsize = 16", ["weak.net.finetune.batchsize", "'batch_size'"]),
        ("seeds = [0, 1]", 'seeds = "all"', ["protocol.seeds"]),
        ("[protocol]", "[protocol", ["is not TOML"]),
    ],
)
def test_a_spec_that_is_wrong_is_refused(place, w2s, tmp_path, old, new, words):
    """A misspelt key gets the nearest known one, a wrong value its place, bad TOML its line."""
    sentence = refused(w2s("extract", "--spec", place.edited(old, new, tmp_path)))
    assert all(word in sentence for word in words), sentence


def test_an_unknown_library_is_refused(place, w2s, tmp_path):
    """A spec may name any library that is installed, and the nearest is offered."""
    spec = place.edited('library = "open_clip"', 'library = "openclip"', tmp_path)
    told = w2s("extract", "--spec", spec, "--cache-dir", tmp_path / "cache", "--domain", "art")
    sentence = refused(told)
    assert "unknown encoder library" in sentence
    assert "Did you mean 'open_clip'" in sentence


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["tables", "--spec", "pockt"], ["unknown spec", "Did you mean 'pocket'"]),
        (["specs", "show", "pockt"], ["unknown spec", "Did you mean 'pocket'"]),
        (["extract", "--spec", "gone.toml"], ["no spec at gone.toml", "w2s-cache specs"]),
        (["tables", "--table", "mian"], ["unknown table", "Did you mean 'main'"]),
        (["tables"], ["no runs of spec pocket", "Run `w2s-cache train` first"]),
        (["data", "fetch", "domaimnet", "--root", "x"], ["'domaimnet'", "'domainnet'"]),
        (["inspect", "."], ["manifest"]),
    ],
    ids=" ".join,
)
def test_other_commands_refuse(w2s, tmp_path, monkeypatch, command: list[str], words: list[str]):
    """Unknown names, absent records and folders that are no artifact are said in one sentence."""
    monkeypatch.chdir(tmp_path)
    sentence = refused(w2s(*command))
    assert all(word in sentence for word in words), sentence
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Makes a folder read-only for this process, whoever runs it."""
    write = os.O_WRONLY | os.O_RDWR | os.O_CREAT

    def protect(folder: Path) -> None:
        def guard(name: str, writes: Callable[..., bool]) -> None:
            real = getattr(os, name)

            def call(path: str | Path, *args: object, **kwargs: object) -> object:
                if Path(os.fspath(path)).is_relative_to(folder) and writes(*args):
                    raise OSError(errno.EROFS, os.strerror(errno.EROFS), os.fspath(path))
                return real(path, *args, **kwargs)

            monkeypatch.setattr(os, name, call)

        guard("mkdir", lambda *_: True)
        guard("replace", lambda *_: True)
        guard("open", lambda flags, *_: bool(flags & write))

    return protect


def test_a_read_only_cache_is_refused(place, w2s, tmp_path, read_only):
    """Where nothing can be written, one sentence says where and what to do."""
    read_only(tmp_path)
    told = w2s(
        "extract", "--spec", place.spec, "--cache-dir", tmp_path / "cache", "--domain", "art"
    )
    sentence = refused(told)
    assert str(tmp_path) in sentence
    assert list(tmp_path.iterdir()) == []


def test_a_filled_read_only_cache_is_used_but_not_extended(cached, w2s, tmp_path, read_only, files):
    """A shared cache without write permission serves what it has and refuses what it lacks."""
    before = files(cached.cache)
    read_only(cached.cache)
    cache = ("--cache-dir", cached.cache)
    assert w2s("extract", "--spec", cached.spec, *cache).stdout.count("all reused") == 2
    results = ("--results-dir", tmp_path / "results", "--method", "weak")
    assert w2s("train", "--spec", cached.spec, *cache, *results).exit_code == 0
    spec = cached.edited('templates = ["plain"]', 'templates = ["openai7"]', tmp_path)
    assert str(cached.cache) in refused(w2s("extract", "--spec", spec, *cache, "--domain", "art"))
    assert files(cached.cache) == before


def test_read_only_results_are_refused(cached, w2s, tmp_path, read_only):
    """The same for the results of training and for the files of tables."""
    read_only(tmp_path)
    where = ("--cache-dir", cached.cache, "--results-dir", tmp_path / "results")
    sentence = refused(w2s("train", "--spec", cached.spec, *where, "--method", "weak"))
    assert str(tmp_path) in sentence
    assert list(tmp_path.iterdir()) == []


def test_a_cache_below_a_file_is_refused(place, w2s, tmp_path):
    """A cache directory that cannot exist is said in one sentence."""
    (tmp_path / "file").write_text("not a folder")
    told = w2s("extract", "--spec", place.spec, "--cache-dir", tmp_path / "file" / "cache")
    assert "file" in refused(told)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--domain", "arts"], ["unknown domain of tiny", "'arts'", "Did you mean 'art'"]),
        (["--weak", "nett"], ["unknown weak model", "Did you mean 'net'"]),
        (["--strong", "clop"], ["unknown strong encoder", "Did you mean 'clip'"]),
    ],
    ids=lambda value: value[0],
)
def test_tables_refuses_names_that_nothing_has(studied, w2s, options, words):
    """Names that neither the spec nor a run has get the nearest one, as in `train`."""
    where = ("--spec", studied.spec, "--results-dir", studied.results)
    sentence = refused(w2s("tables", *where, *options))
    assert all(word in sentence for word in words), sentence


def test_tables_that_cannot_be_written_are_refused(studied, w2s, tmp_path):
    """An output directory below a file is said in one sentence, after the table itself."""
    (tmp_path / "file").write_text("not a folder")
    options = ("--spec", studied.spec, "--results-dir", studied.results)
    told = w2s("tables", *options, "--output-dir", tmp_path / "file" / "out")
    assert told.exit_code == 1
    assert SENTENCE.fullmatch(told.stderr)


@pytest.mark.parametrize(
    "words",
    [
        "nosuch",
        "train --nosuch",
        "train --seeds 4-0",
        "train --seeds one",
        "train --set tau",
        "train --select best",
        "extract --batch-size 0",
        "inspect nowhere",
    ],
)
def test_misuse_exits_with_2(w2s, words):
    """What the command line itself cannot parse is click's usage error."""
    told = w2s(*words.split())
    assert told.exit_code == 2
    assert told.stdout == ""
    assert told.stderr.startswith("Usage: ")


@pytest.mark.parametrize("digits", [400, 5000])
def test_a_number_of_very_many_digits_is_refused_in_a_line(cached, w2s, tmp_path, digits):
    """No float holds it; the message shows its beginning."""
    where = ("--cache-dir", cached.cache, "--results-dir", tmp_path / "results")
    options = ("--method", "cpl", "--set", f"tau={'9' * digits}")
    sentence = refused(w2s("train", "--spec", cached.spec, *where, *options))
    assert "tau" in sentence
    assert len(sentence) < 400


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("trian", "train"),
        ("tabels", "tables"),
        ("specs shwo", "show"),
        ("specs list", "cli specs"),
        ("data chek", "check"),
    ],
)
def test_a_mistyped_command_is_answered_with_the_nearest(w2s, words, meant):
    """A usage error says what was probably meant; where nothing is near, the group alone."""
    told = w2s(*words.split())
    assert told.exit_code == 2
    assert told.stderr.endswith(f"Did you mean {meant!r}?\n")


def test_a_weak_name_that_nobody_imported_gets_the_way_to_import_it(cached, w2s, tmp_path):
    """Before the import `train` names the command; `extract` without the file names its option."""
    where = ("--spec", cached.spec, "--cache-dir", cached.cache, "--weak", "mine")
    trained = w2s("train", *where, "--results-dir", tmp_path)
    assert "unknown weak model" in trained.stderr
    assert (
        f"`w2s-cache extract --weak mine --weak-logits FILE --spec {cached.spec}" in trained.stderr
    )
    for command in (("extract",), ("import", "SOURCE")):
        told = w2s(*command, *where)
        assert told.exit_code == 1
        assert "For logits of your own add --weak-logits FILE" in told.stderr
