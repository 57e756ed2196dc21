"""From images to a table through the command line alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest

from w2s_cache.store.index import read_index
from w2s_cache.store.layout import index_path

TINY = ("zero-shot", "weak", "lp-kd", "cpl", "soft-class-means", "ceiling-lp")


def test_extract_says_what_it_computed(extracted):
    """Results go to standard output, one line per domain; everything else to standard error."""
    assert extracted.exit_code == 0
    lines = extracted.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["art", "photo"]
    for part in ("60 images", "features 60 computed", "logits 60 computed"):
        assert all(part in line for line in lines)
    assert extracted.stderr == "loading pocket-clip on cpu in fp32\n"


def test_a_second_extract_reuses_everything(cached, w2s, files):
    """The same request again computes nothing, writes nothing and says so."""
    before = files(cached.cache)
    again = w2s("extract", "--spec", cached.spec, "--cache-dir", cached.cache)
    assert again.exit_code == 0
    assert again.stdout.count("60 images, all reused from the cache") == 2
    assert files(cached.cache) == before


def test_recheck_loads_the_models_and_finds_the_same(cached, w2s):
    """`--recheck` compares the weights themselves; nothing is computed anew."""
    options = ("--domain", "art", "--recheck", "--quiet")
    again = w2s("extract", "--spec", cached.spec, "--cache-dir", cached.cache, *options)
    assert again.exit_code == 0
    assert "art: 60 images, all reused" in again.stdout
    assert again.stderr == ""


def test_train_prints_one_line_per_domain_and_method(studied, trained):
    """Every method on every domain has a line with its mean over seeds on standard output."""
    assert trained.exit_code == 0
    lines = [line.split()[:2] for line in trained.stdout.splitlines()]
    assert lines == [[domain, method] for domain in ("art", "photo") for method in TINY]
    assert trained.stdout.count("n=2)") == 12
    assert trained.stderr == f"24 runs on cpu, records in {studied.results}\n"


def test_a_second_train_reuses_every_run(studied, w2s, files):
    """A run that exists is not run again, and its files are not touched."""
    before = files(studied.results)
    again = w2s("train", *studied.options(), "--method", "cpl, weak,cpl", "--seeds", "0-1,0")
    assert again.exit_code == 0
    assert again.stdout.count("n=2, 2 reused") == 4
    assert files(studied.results) == before


@pytest.mark.parametrize("format_", ["text", "md", "latex", "csv"])
def test_tables_prints_every_method_and_domain(studied, w2s, format_):
    """Each format names the domains and the methods of the spec and ends in one line break."""
    options = ("--spec", studied.spec, "--results-dir", studied.results, "--format", format_)
    table = w2s("tables", *options)
    assert table.exit_code == 0
    assert table.stderr.startswith("main: 8 runs are missing; to make them, run `w2s-cache train ")
    words = ("art", "photo", "cpl", "soft class means", "ceiling")
    told = table.stdout.lower().replace("soft-class-means", "soft class means")
    assert all(word in told for word in words)
    assert table.stdout.endswith("\n")
    assert not table.stdout.endswith("\n\n")


def test_tables_writes_files_when_asked(studied, w2s, tmp_path):
    """`--output-dir` gets Markdown, LaTeX and CSV; what was written is said on standard error."""
    options = ("--spec", studied.spec, "--results-dir", studied.results)
    table = w2s("tables", *options, "--output-dir", tmp_path / "out", "--format", "csv")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["tiny-main.csv", "tiny-main.md", "tiny-main.tex"]
    assert (tmp_path / "out" / "tiny-main.csv").read_text(encoding="utf-8") == table.stdout
    assert table.stderr.count("wrote ") == 3


def test_specs_lists_and_shows(place, w2s):
    """Shipped specs have a line each; `show` prints every default, of files too."""
    listed = w2s("specs")
    assert {"pocket", "domainnet", "pacs"} <= {
        line.split()[0] for line in listed.stdout.splitlines()
    }
    shown = json.loads(w2s("specs", "show", place.spec).stdout)
    assert shown["train"]["lr"] == 0.01
    assert shown["strong"]["clip"]["precision"] == "fp32"


def test_data_check_and_classes(place, w2s):
    """`data check` counts the halves, `data classes` prints names in label order."""
    checked = w2s("data", "check", place.spec)
    line = "3 classes, 24 train, 36 test"
    assert checked.stdout == f"art: {line}\nphoto: {line}\n"
    assert w2s("data", "classes", place.spec).stdout == "0\tblue\n1\tgreen\n2\tred\n"


def test_quiet_prints_results_only(studied, trained, w2s, tmp_path):
    """With `--quiet` standard error stays empty and standard output does not change."""
    options = ("--method", "weak,lp-kd", "--quiet")
    told = w2s("train", *studied.options(**{"results-dir": tmp_path}), *options)
    assert told.stderr == ""
    lines = [line.split() for line in trained.stdout.splitlines()]
    expected = [words for words in lines if words[1] in ("weak", "lp-kd")]
    assert [line.split() for line in told.stdout.splitlines()] == expected


def test_underscores_are_accepted_in_flags(studied, w2s):
    """`--cache_dir` is `--cache-dir`, in every command."""
    options = ("--cache_dir", studied.cache, "--results_dir", studied.results, "--eval_split")
    told = w2s("train", "--spec", studied.spec, *options, "held-out", "--dry_run")
    assert told.exit_code == 0
    assert w2s("ls", "--cache_dir", studied.cache).stdout.count("image") >= 2


def test_flag_comes_before_environment_and_environment_before_default(
    cached, w2s, tmp_path, monkeypatch
):
    """W2S_CACHE_HOME and W2S_CACHE_SPEC are read, and a flag overrides them."""
    monkeypatch.setenv("W2S_CACHE_HOME", str(cached.cache))
    monkeypatch.setenv("W2S_CACHE_SPEC", str(cached.spec))
    assert w2s("ls").stderr.startswith("5 stores")
    assert w2s("ls", "--cache-dir", tmp_path).stderr.startswith("0 stores")
    assert w2s("extract").stdout.count("all reused") == 2


def test_cold_and_warm_caches_give_the_same_bits(studied, w2s, files, tmp_path):
    """Extracting anew elsewhere and training gives the same heads and predictions, run by run."""
    cache, results = tmp_path / "cache", tmp_path / "results"
    cold = studied.options(**{"cache-dir": cache, "results-dir": results})
    told = w2s("extract", *cold[:4], "--domain", "photo", "--workers", "2")
    assert told.exit_code == 0
    assert w2s("train", *cold, "--domain", "photo").exit_code == 0
    kinds = {"head.safetensors", "predictions.parquet", "trace.parquet"}
    new = {name: content for name, content in files(results).items() if Path(name).name in kinds}
    old = files(studied.results)
    heads = [name for name in new if name.endswith("head.safetensors")]
    assert len(heads) == 10
    assert all(old[name] == content for name, content in new.items())


def test_imported_logits_end_to_end(studied, w2s, tmp_path):
    """Somebody's predictions, one file per domain, take the weak model's studied."""
    for domain in ("art", "photo"):
        index = read_index(index_path(studied.cache, "tiny", domain))
        logits = 9 * np.eye(3)[index.labels]
        columns = {name: logits[:, number] for number, name in enumerate(index.classes)}
        table = pa.table({"path": list(index.paths), **columns})
        pa_csv.write_csv(table.take(np.arange(len(index))[::-1]), tmp_path / f"{domain}.csv")
    cache, results = tmp_path / "cache", tmp_path / "results"
    options = studied.options(**{"cache-dir": cache, "results-dir": results})
    imported = ("--weak-logits", tmp_path / "{domain}.csv", "--weak", "mine")
    first = w2s("extract", *options[:4], *imported)
    assert first.exit_code == 0, first.output
    assert first.stdout.count("logits 60 imported") == 2
    assert "next:" not in first.stderr
    assert w2s("extract", *options[:4], *imported).stdout.count("all reused") == 2
    told = w2s("train", *options, "--weak", "mine", "--method", "weak")
    assert told.stdout.count("100.0 ± 0.0 (weak 100.0; n=2)") == 2
    table = w2s("tables", "--spec", studied.spec, "--results-dir", results, "--weak", "mine")
    assert "weak model mine" in table.stdout


def test_one_file_of_predictions_without_a_name(cached, w2s, tmp_path):
    """One file serves every domain; what to type next is said, and so is a replacement."""
    rows = w2s("data", "index", cached.spec).stdout.splitlines()[1:]
    cells = [(path, 9 * np.eye(3)[int(label)]) for path, label, *_ in (r.split(",") for r in rows)]
    file = tmp_path / "all.csv"
    options = ("--spec", cached.spec, "--cache-dir", tmp_path / "cache", "--weak-logits", file)
    for factor in (1, 2):
        lines = [f"{path},{' '.join(map(str, factor * row))}\n" for path, row in cells]
        file.write_text(f"path,logits\n{''.join(lines)}")
        told = w2s("extract", *options)
        assert told.stdout.count("logits 60 imported") == 2, told.output
        command = (
            f"w2s-cache train --weak imported --spec {cached.spec} --cache-dir {tmp_path}/cache"
        )
        assert told.stderr.endswith(f"next: `{command}`\n")
        said = "art: imported logits of imported replaced"
        assert (said in told.stderr) == (factor == 2)
    where = ("--cache-dir", tmp_path / "cache", "--results-dir", tmp_path / "results")
    told = w2s("train", "--spec", cached.spec, *where, "--weak", "imported", "--method", "weak")
    assert told.stdout.count("100.0") == 4
    told = w2s("train", "--spec", cached.spec, *where)
    assert "in the cache are clip and imported. Run `w2s-cache train --weak imp" in told.stderr


def test_the_installed_program_does_the_same(studied, w2s):
    """The `w2s-cache` script prints the table of the session's records, byte for byte."""
    program = Path(sys.executable).with_name("w2s-cache")
    where = ("--spec", studied.spec, "--results-dir", studied.results)
    command = [str(part) for part in ("tables", *where, "--format", "csv", "--quiet")]
    told = subprocess.run([program, *command], capture_output=True, check=True, timeout=120)
    assert told.stdout == w2s(*command).stdout.encode()
    assert told.stderr == b""


def test_nothing_is_imported_where_one_domain_s_file_is_wrong(cached, w2s, files, tmp_path):
    """All files are read before anything is published, and no replacement is announced."""
    rows = w2s("data", "index", cached.spec).stdout.splitlines()[1:]
    for factor, domains in ((1, ("art", "photo")), (2, ("art",))):
        for domain in domains:
            own = [row.split(",") for row in rows if row.startswith(f"{domain}/")]
            lines = [f"{p},{' '.join(map(str, factor * np.eye(3)[int(k)]))}\n" for p, k, *_ in own]
            (tmp_path / f"{domain}.csv").write_text(f"path,logits\n{''.join(lines)}")
        cache = tmp_path / "cache"
        options = ("--spec", cached.spec, "--cache-dir", cache, "--strong", "clip")
        told = w2s("extract", *options, "--weak-logits", tmp_path / "{domain}.csv")
        if factor == 1:
            before = files(cache)
            (tmp_path / "photo.csv").write_text("path,logits\nphoto/none.png,1 2 3\n")
    assert told.exit_code == 1
    assert "replaced" not in told.stderr
    assert files(cache) == before
