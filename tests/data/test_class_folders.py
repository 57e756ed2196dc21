"""Reading class folders."""

import os
import random
from pathlib import Path

import pytest

from w2s_cache.data.class_folders import read_class_folders
from w2s_cache.errors import DataError, UnknownNameError

OFFICE = {
    "Art": {"Alarm_Clock": 10, "Back pack": 4, "zebra": 1},
    "Real World": {"alarm clock": 3, "Backpack": 7, "Zebra": 2},
}


@pytest.fixture
def folders(tmp_path):
    """Write domains of class folders with so many files each."""

    def write(layout):
        for domain, classes in layout.items():
            for name, count in classes.items():
                folder = tmp_path / "office" / domain / name
                folder.mkdir(parents=True, exist_ok=True)
                for i in range(count):
                    (folder / f"{i:05}.jpg").write_text(f"{domain}/{name}/{i}")
        return tmp_path / "office"

    return write


def read(root, domain, **arguments):
    """The listing of one OfficeHome-like domain."""
    given = {"dataset": "office", "domains": ("art", "real_world"), **arguments}
    return read_class_folders(root, domain, **given)


def refused(root, domain, **arguments):
    """The message of the DataError, checked for its four parts."""
    with pytest.raises(DataError) as caught:
        read(root, domain, **arguments)
    error = caught.value
    assert all((error.what, error.expected, error.found, error.fix))
    return str(error)


@pytest.mark.parametrize("spelling", ["Real World", "Real_World", "RealWorld", "real-world"])
def test_every_spelling_of_a_domain_is_found(folders, spelling):
    """Case, blanks, '_' and '-' do not matter; paths keep the folder's own spelling."""
    root = folders({"Art": OFFICE["Art"], spelling: OFFICE["Real World"]})
    listing = read(root, "real_world")
    assert listing.domain == "real_world"
    assert {row.path.split("/")[0] for row in listing.entries} == {spelling}


def test_an_alias_names_a_domain_by_another_word(folders):
    """A domain folder may be called what the aliases say."""
    root = folders({"art": OFFICE["Art"], "Photo": OFFICE["Real World"]})
    assert len(read(root, "real_world", aliases={"real_world": ["photo"]}).entries) == 12


def test_classes_are_those_of_the_first_domain_whatever_domain_is_read(folders):
    """Names come from the first domain (sorted), bytewise sorted; others match by spelling."""
    root = folders(OFFICE)
    art, real = read(root, "art"), read(root, "real_world")
    assert art.classes == real.classes == ("Alarm_Clock", "Back pack", "zebra")
    labels = {row.path.split("/")[1]: row.label for row in real.entries}
    assert labels == {"alarm clock": 0, "Backpack": 1, "Zebra": 2}


def test_a_given_class_list_rules_names_and_labels(folders):
    """With a class list, its spelling and order count; extra and missing folders are errors."""
    root = folders(OFFICE)
    assert read(root, "art", classes=("zebra", "backpack", "alarm_clock")).classes[0] == "zebra"
    assert "no folder for 'axe'" in refused(
        root, "art", classes=("alarm clock", "axe", "backpack", "zebra")
    )
    assert "a folder that is no class, 'zebra'" in refused(
        root, "art", classes=("alarm clock", "backpack")
    )


def test_a_missing_or_extra_class_in_any_domain_is_named(folders):
    """Classes must be the same everywhere, even in a domain that is not being read."""
    root = folders({"Art": {"axe": 3, "bee": 3}, "Real World": {"axe": 3, "Cat": 3}})
    text = refused(root, "art")
    assert "office/real_world" in text
    assert "no folder for 'bee' and a folder that is no class, 'Cat'" in text


def test_one_class_in_two_spellings_is_an_error(folders):
    """Two folders of one domain that spell one class are both named."""
    root = folders({"Art": {"alarm_clock": 2, "Alarm Clock": 2}, "Real World": {"alarm_clock": 2}})
    assert "'Alarm Clock' and 'alarm_clock'" in refused(root, "art")


def test_two_folders_for_one_domain_are_an_error(folders):
    """A data root that was unpacked twice is not guessed at."""
    root = folders({**OFFICE, "real_world": OFFICE["Real World"]})
    assert "2 folders, 'Real World', 'real_world'" in refused(root, "real_world")


def test_a_missing_domain_is_an_error_and_an_extra_one_a_note(folders):
    """No domain goes missing silently; a folder that is none is said aloud."""
    root = folders({**OFFICE, "Extra": {"axe": 1}})
    assert "no domain of office, ignored" in " ".join(read(root, "art").notes)
    text = refused(root, "art", domains=("art", "quickdraw", "real_world"))
    assert "domain quickdraw" in text
    assert "none among 'Art', 'Extra', 'Real World'" in text


def test_unknown_domain_offers_the_known_ones(folders):
    """A wrong name is told from a missing folder."""
    with pytest.raises(UnknownNameError, match="real_world"):
        read(folders(OFFICE), "real_wold")


def test_missing_root_and_empty_class_are_errors(folders, tmp_path):
    """Neither a root that is not there nor a class folder without images is passed over."""
    assert "no such folder" in refused(tmp_path / "nowhere", "art")
    root = folders({"Art": {"axe": 2, "bee": 0}, "Real World": {"axe": 2, "bee": 1}})
    assert "class folder 'bee' without an image" in refused(root, "art")


def test_what_is_not_an_image_is_ignored_aloud(folders):
    """Hidden files, other files and nested folders are counted in the notes; suffixes fold case."""
    root = folders(OFFICE)
    zebra = root / "Art" / "zebra"
    for name in (".DS_Store", "Thumbs.db", "x.txt", "A.JPEG", "B.Png", "c.webp", "d.bmp"):
        (zebra / name).write_text(name)
    (zebra / "more").mkdir()
    (root / "Art" / "readme.txt").write_text("")
    (root / "Real World" / ".DS_Store").write_text("")  # said when that domain is listed
    listing = read(root, "art")
    assert sum(row.label == 2 for row in listing.entries) == 5
    assert listing.notes == (
        "1 file(s) and hidden folder(s) beside the classes of art ignored",
        "2 file(s) without an image suffix ignored in art",
        "1 folder(s) inside class folders ignored in art",
        "1 hidden file(s) ignored in art",
    )


def test_links_out_of_the_root_and_broken_links_are_errors(folders, tmp_path):
    """An image must be a file below the root."""
    root = folders(OFFICE)
    (tmp_path / "outside.jpg").write_text("x")
    link = root / "Art" / "zebra" / "link.jpg"
    link.symlink_to(tmp_path / "outside.jpg")
    assert "leads out of the data root" in refused(root, "art")
    link.unlink()
    link.symlink_to(root / "gone.jpg")
    assert "1 listed image(s) absent" in refused(root, "art")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_with_an_image_s_name_is_said_to_be_one(folders):
    """It is not called absent, nor a broken link, be it named itself or by a link."""
    root = folders(OFFICE)
    os.mkfifo(root / "Art" / "pipe")
    (root / "Art" / "zebra" / "pipe.png").symlink_to("../pipe")
    os.mkfifo(root / "Art" / "zebra" / "other.png")
    said = "not a regular file: Art/zebra/other.png, Art/zebra/pipe.png. Remove them"
    assert said in refused(root, "art")


def test_names_that_cannot_be_paths_are_errors(folders):
    """A file name that is not UTF-8, or holds a line end, cannot name a row."""
    root = folders(OFFICE)
    bad = Path(os.fsdecode(os.fsencode(root / "Art" / "zebra") + b"/\xff.jpg"))
    bad.write_text("")
    assert "not UTF-8" in refused(root, "art")
    bad.unlink()
    (root / "Art" / "zebra" / "a\nb.jpg").write_text("")
    assert "control characters" in refused(root, "art")


def test_shuffled_directory_listing_gives_the_same_listing(folders, monkeypatch):
    """Rows, labels and split do not depend on the order a file system lists in."""
    root = folders(OFFICE)
    first = read(root, "art")
    real = Path.iterdir

    def shuffled(folder):
        inside = list(real(folder))
        random.Random(5).shuffle(inside)
        return iter(inside)

    monkeypatch.setattr(Path, "iterdir", shuffled)
    assert read(root, "art") == first
    assert [row.path for row in first.entries] == sorted(row.path for row in first.entries)


def test_the_drawn_split_follows_seed_and_fraction(folders):
    """floor(0.3 n) of each class is test, at least one; other seeds draw other images."""
    root = folders(OFFICE)

    def test_rows(**arguments):
        rows = read(root, "art", **arguments).entries
        return [row.path for row in rows if row.split == "test"]

    per_class = {name: sum(f"/{name}/" in path for path in test_rows()) for name in OFFICE["Art"]}
    assert per_class == {"Alarm_Clock": 3, "Back pack": 1, "zebra": 1}
    assert test_rows() == test_rows()
    assert len({tuple(test_rows(split_seed=seed)) for seed in range(5)}) > 1
    assert len(test_rows(test_fraction=0.5)) == 8


def test_a_class_of_one_image_is_test_only_and_noted(folders):
    """What cannot be divided is kept for testing."""
    assert "class 2 'zebra' has no row in art_train" in read(folders(OFFICE), "art").notes


def test_real_images_in_class_folders():
    """The layout of PACS: two domains, seven classes, the number of files counted on disk."""
    root = Path(
        os.environ.get("W2S_TEST_IMAGES", Path(__file__).parents[3] / "shared/data/pacs_mini")
    )
    if not root.is_dir():
        pytest.skip("no real images: set W2S_TEST_IMAGES to a folder with PACS")
    domains = ("art_painting", "sketch")
    listing = read_class_folders(root, "sketch", dataset="pacs", domains=domains)
    assert len(listing.classes) == 7
    assert len(listing.entries) == sum(1 for _ in root.glob("sketch/*/*"))


def test_a_domain_without_class_folders_is_an_error(folders):
    """An empty folder is no data set, and the message names it."""
    root = folders({"Art": {"zebra": 2}})
    (root / "Empty").mkdir()
    assert "no class folder" in refused(root, "Empty", domains=("Empty",))


def test_letters_with_marks_are_one_class_however_they_are_coded(folders):
    """One code point or two (NFC or NFD), as file systems differ in that."""
    root = folders({"Art": {"caf\u00e9": 2, "zoo": 2}, "Photo": {"cafe\u0301": 2, "zoo": 2}})
    listings = [read(root, domain, domains=("Art", "Photo")) for domain in ("Art", "Photo")]
    assert listings[0].classes == listings[1].classes
