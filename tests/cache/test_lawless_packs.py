"""A pack whose digests are right and whose stores break a law leaves nothing in a cache."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
import xxhash

from w2s_cache.cache.pack_layout import array_digest
from w2s_cache.cache.unpack import unpack
from w2s_cache.errors import CorruptStoreError
from w2s_cache.store.failures import RowFailure, write_failures
from w2s_cache.store.fingerprint import digest
from w2s_cache.store.layout import FAILURES_FILE

SHARD_ROWS = 4


def reseal(file):
    """State the digests of what a pack holds now."""
    digests = json.loads(file["digests"].asstr()[()])
    for place in digests:
        if place.startswith("files/"):
            value = file[place][()]
            content = value if isinstance(value, bytes) else value.tobytes()
            digests[place] = [xxhash.xxh3_128_hexdigest(content)]
        else:
            values = file[place][()]
            starts = range(0, len(values), SHARD_ROWS)
            digests[place] = [array_digest(values[a : a + SHARD_ROWS]) for a in starts]
    del file["digests"]
    file["digests"] = json.dumps(digests)


def assign(name, row, value):
    """A change of one row."""

    def change(file, folder):  # noqa: ARG001
        file[name][row] = value

    return change


def invalid(file, folder):  # noqa: ARG001
    """A row that holds nothing, as it should, and nobody says why."""
    for array in ("features", "preprojection"):
        file[f"image/{array}"][3] = np.nan
    file["image/valid"][3] = False


def failures(file, content):
    """A file of failures in the pack."""
    file["files/image.failures.parquet"] = np.frombuffer(content, np.uint8)
    digests = json.loads(file["digests"].asstr()[()])
    del file["digests"]
    file["digests"] = json.dumps({**digests, "files/image.failures.parquet": []})


def garbage(file, folder):  # noqa: ARG001
    """A file of failures that is none."""
    failures(file, b"PAR1 whatever")


def reason_of_a_valid_row(file, folder):
    """A failure of a row that holds numbers."""
    shard = json.loads(file["files/image.manifest.json"][()])["shards"][0]
    told = RowFailure(row=3, path="p", stage="read", error="OSError", message="gone")
    write_failures(folder, {shard["digest"]: (told,)})
    failures(file, (folder / FAILURES_FILE).read_bytes())


def other_index(file, folder):
    """An index file that is whole, and of other rows than the columns."""
    source = folder / "cache höme/v1/toy/photo/index.parquet"
    del file["files/index.parquet"]
    file["files/index.parquet"] = np.frombuffer(source.read_bytes(), np.uint8)


def other_images(file, folder):  # noqa: ARG001
    """Features whose own key says that they are of other images."""
    manifest = json.loads(file["files/image.manifest.json"][()])
    manifest["key"]["images"] = "0" * 64
    manifest["key_digest"] = digest(manifest["key"])
    stated = json.loads(file["files/feature_set.json"][()])
    stated["image"]["key_digest"] = manifest["key_digest"]
    for name, value in (("image.manifest", manifest), ("feature_set", stated)):
        del file[f"files/{name}.json"]
        file[f"files/{name}.json"] = json.dumps(value)


LAWLESS = {
    "NaN in a valid row": (assign("image/features", 3, np.nan), "FS-15"),
    "infinity in the last store": (assign("logits/logits", 9, np.inf), "FS-15"),
    "numbers in an invalid row": (assign("image/valid", 3, False), "FS-14"),
    "an invalid row without a reason": (invalid, "FS-18"),
    "a reason of a valid row": (reason_of_a_valid_row, "FS-18"),
    "reasons that are no table": (garbage, "FS-17"),
    "the index of another domain": (other_index, "index.parquet"),
    "features of other images": (other_images, "image made from images"),
}


@pytest.mark.parametrize(("change", "law"), LAWLESS.values(), ids=list(LAWLESS))
def test_a_pack_that_breaks_a_law_publishes_nothing(pack, unpacked, tmp_path, change, law):
    """Laws are judged before a store, an index or a feature set appears, and the law is named."""
    with h5py.File(pack, "r+") as file:
        change(file, tmp_path)
        reseal(file)
    with pytest.raises(CorruptStoreError, match=law):
        unpacked(pack, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_unpacking_counts_every_byte_of_the_shards(home, pack, tmp_path):
    """Judging and writing, or finding in place, add up to the shards' bytes."""
    total = sum(
        shard["bytes"]
        for kind in ("art/image/clip", "art/logits/net", "text/clip")
        for manifest in home.path.glob(f"v1/toy/{kind}-*/manifest.json")
        for shard in json.loads(manifest.read_text())["shards"]
    )
    for _ in range(2):
        seen: list[int] = []
        unpack(pack, tmp_path / "n", replace=False, say=lambda _: None, advance=seen.append)
        assert sum(seen) == total
