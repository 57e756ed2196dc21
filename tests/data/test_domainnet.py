"""Reading DomainNet's lists."""

import random
import re

import pytest

from w2s_cache.data.classes_domainnet import CLASSES, DOMAINS
from w2s_cache.data.domainnet import read_domainnet
from w2s_cache.data.index_build import build_index
from w2s_cache.data.spelling import name_key
from w2s_cache.errors import DataError, UnknownNameError

TRAIN = ["clipart/axe/1.jpg 0", "clipart/The_Mona_Lisa/2 b.jpg 1"]
TEST = ["clipart/axe/3.jpg 0", "clipart/The_Mona_Lisa/ü 4.jpg 1"]


def refused(root, **arguments):
    """The error of reading ``clipart``, checked for its four parts."""
    with pytest.raises(DataError) as caught:
        read_domainnet(root, "clipart", **arguments)
    error = caught.value
    assert all((error.what, error.expected, error.found, error.fix))
    return str(error)


def test_official_names_are_345_in_the_order_of_their_labels():
    """Labels follow the alphabet without case, '_' and '-'; 't-shirt' is 327, as the lists say."""
    assert len(set(CLASSES)) == 345
    assert list(CLASSES) == sorted(CLASSES, key=name_key)
    assert (CLASSES[0], CLASSES[8], CLASSES[327], CLASSES[344]) == (
        "aircraft_carrier",
        "apple",
        "t-shirt",
        "zigzag",
    )
    assert list(DOMAINS) == sorted(DOMAINS)


def test_lists_become_entries_sorted_by_path(listed):
    """Paths with blanks and umlauts are kept whole; rows sort bytewise; classes sit at labels."""
    listing = read_domainnet(listed(TRAIN, TEST), "clipart")
    assert listing.classes == ("axe", "The_Mona_Lisa")
    assert [(row.path, row.label, row.split) for row in listing.entries] == [
        ("clipart/The_Mona_Lisa/2 b.jpg", 1, "train"),
        ("clipart/The_Mona_Lisa/ü 4.jpg", 1, "test"),
        ("clipart/axe/1.jpg", 0, "train"),
        ("clipart/axe/3.jpg", 0, "test"),
    ]
    assert listing.notes == ()


def test_shuffled_lists_give_the_same_index(listed):
    """The order of the lines is no part of the index."""
    train = [f"clipart/axe/t{i}.jpg 0" for i in range(20)]
    root = listed(train, TEST[:1])
    first = build_index(read_domainnet(root, "clipart"), root)
    random.Random(1).shuffle(train)
    listed(train, TEST[:1])
    assert build_index(read_domainnet(root, "clipart"), root).digest == first.digest


def test_lists_in_splits_give_the_same_listing(listed):
    """The lists may lie in the root or in its folder 'splits'."""
    root = listed(TRAIN, TEST)
    first = read_domainnet(root, "clipart")
    for half in ("train", "test"):
        (root / f"clipart_{half}.txt").unlink()
    listed(TRAIN, TEST, folder="splits")
    assert read_domainnet(root, "clipart") == first


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(listed):
    """A list that passed through a Windows editor reads the same."""
    root = listed(TRAIN, TEST)
    first = read_domainnet(root, "clipart")
    text = "\ufeff" + "\r\n".join(TRAIN) + "\r\n\r\n"
    (root / "clipart_train.txt").write_bytes(text.encode())
    assert read_domainnet(root, "clipart") == first


def test_class_without_training_rows_is_a_note(listed):
    """painting_train has no t-shirt: the class keeps its label and the listing says so."""
    listing = read_domainnet(listed(TRAIN[:1], TEST), "clipart")
    assert listing.classes == ("axe", "The_Mona_Lisa")
    assert listing.notes == ("class 1 'The_Mona_Lisa' has no row in clipart_train",)


def test_class_without_test_rows_is_an_error(listed):
    """A class nobody can be tested on is named."""
    assert "class 1 'The_Mona_Lisa' has no test image" in refused(listed(TRAIN, TEST[:1]))


def test_class_without_any_row_is_an_error(listed):
    """A class of the class list that the domain lacks altogether is named."""
    text = refused(listed(TRAIN, TEST), classes=("axe", "The_Mona_Lisa", "zebra"))
    assert "class 2 'zebra' has no test image" in text
    assert "0 in train" in text


def test_label_gap_is_an_error(listed):
    """Without a class list, labels must count from 0 without a gap."""
    rows = ["clipart/axe/3.jpg 0", "clipart/zebra/4.jpg 2"]
    assert "no row with label 1" in refused(listed(rows[:1], [*rows[1:], "clipart/axe/9.jpg 0"]))


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (("axe",), "label 1 on folder 'The_Mona_Lisa'; the class list says no such label"),
        (("The_Mona_Lisa", "axe"), "label 0 on folder 'axe'; the class list says 'The_Mona_Lisa'"),
        (("The_Mona_Lisa",), "label 0 on folder 'axe'"),
    ],
)
def test_class_list_with_a_missing_or_moved_line_is_refused(listed, classes, said):
    """Labels are positions in the class list; a shortened or reordered one shows at once."""
    assert said in refused(listed(TRAIN, TEST), classes=classes)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("clipart/Axe/5.jpg 0", "label 0 on two folders, 'axe' and 'Axe'"),
        ("clipart/axe/5.jpg 2", "folder 'axe' with two labels, 0 and 2"),
        ("clipart/the mona lisa/5.jpg 2", "'The_Mona_Lisa' and 'the mona lisa'"),
        ("clipart/zebra/5.jpg 0", "label 0 on two folders, 'axe' and 'zebra'"),
    ],
)
def test_labels_and_folders_that_disagree_are_refused(listed, row, said):
    """One label, one folder, one spelling; both sides of the conflict are named."""
    assert said in refused(listed(TRAIN, [*TEST, row]))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("clipart/axe/5.jpg", "'clipart/axe/5.jpg'"),
        ("clipart/axe/5.jpg x", "label of zero or more"),
        ("clipart/axe/5.jpg -1", "label of zero or more"),
        ("clipart/axe/5.jpg 1.0", "label of zero or more"),
        ("clipart/axe/5.jpg ²", "label of zero or more"),
        ("7", "label of zero or more"),
        ("../clipart/axe/5.jpg 0", "climbs with '..'"),
        ("clipart/axe/../../../5.jpg 0", "climbs with '..'"),
        ("/etc/clipart/axe/5.jpg 0", "absolute path"),
        ("C:/clipart/axe/5.jpg 0", "absolute path"),
        ("clipart\\axe\\5.jpg 0", "backslashes"),
        ("clipart/./axe/5.jpg 0", "empty or '.' parts"),
        ("clipart/axe/5\0.jpg 0", "control characters"),
        ("real/axe/5.jpg 0", "not clipart/<class>/<file>"),
        ("axe/5.jpg 0", "not clipart/<class>/<file>"),
    ],
)
def test_malformed_lines_are_refused_with_their_number(listed, row, said):
    """A line that is no 'path label', or whose path leaves the root, names file and line."""
    root = listed(TRAIN, TEST)
    (root / "clipart_test.txt").write_text("\n".join([*TEST, row]), encoding="utf-8")
    text = refused(root)
    assert said in text
    assert "clipart_test.txt, line 3" in text


def test_repeated_rows_are_refused(listed):
    """A path may stand in one row only, and in one of the two lists only."""
    assert "a row in train, twice" in refused(listed([*TRAIN, TRAIN[0]], TEST))
    assert "a row in train and test" in refused(listed(TRAIN, [*TEST, TRAIN[0]]))


def test_links_that_leave_the_root_are_refused(listed, tmp_path):
    """A link to a file or folder elsewhere is not followed, one that stays inside is."""
    root = listed(TRAIN, TEST)
    outside = tmp_path / "outside.jpg"
    outside.write_text("x")
    image = root / "clipart/axe/1.jpg"
    image.unlink()
    image.symlink_to(outside)
    assert "leads out of the data root" in refused(root)
    image.unlink()
    image.symlink_to(root / "clipart/axe/3.jpg")
    assert len(read_domainnet(root, "clipart").entries) == 4
    (root / "clipart").rename(tmp_path / "moved")
    (root / "clipart").symlink_to(tmp_path / "moved")
    assert "leads out of the data root" in refused(root)


def test_the_root_itself_may_be_a_link(listed, tmp_path):
    """What counts is where the root leads, not how it is called."""
    root = listed(TRAIN, TEST)
    (tmp_path / "link").symlink_to(root)
    linked = read_domainnet(tmp_path / "link", "clipart")
    assert linked == read_domainnet(root, "clipart")


def test_absent_images_are_named_up_to_ten_and_counted(listed):
    """Twelve absent images: ten names, 'and 2 more', and the command that fetches them."""
    rows = [f"clipart/axe/x{i:02}.jpg 0" for i in range(12)]
    root = listed(TRAIN, [*TEST, *rows])
    for row in rows:
        (root / row.split()[0]).unlink()
    text = refused(root)
    assert "12 listed image(s) absent" in text
    assert "x09.jpg and 2 more" in text
    assert "w2s-cache data fetch domainnet --domain clipart" in text


def test_a_folder_in_the_place_of_an_image_is_no_file(listed):
    """Only regular files are images, and what is there is not called absent."""
    root = listed(TRAIN, TEST)
    (root / "clipart/axe/1.jpg").unlink()
    (root / "clipart/axe/1.jpg").mkdir()
    text = refused(root)
    assert "found not a regular file: clipart/axe/1.jpg. Remove them" in text
    assert "absent" not in text


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (["clipart_train.txt"], "no clipart_train.txt in"),
        (["clipart_test.txt"], "no clipart_test.txt in"),
        (["clipart_train.txt", "clipart_test.txt"], "neither list"),
    ],
)
def test_absent_lists_say_what_the_folder_should_hold(listed, gone, said):
    """The message describes the layout and names the command that makes it."""
    root = listed(TRAIN, TEST)
    for name in gone:
        (root / name).unlink()
    text = refused(root)
    assert said in text
    assert "clipart/<class>/<images>" in text
    assert "w2s-cache data fetch domainnet --domain clipart" in text


def test_absent_root_says_what_the_folder_should_hold(tmp_path):
    """No folder at all gets the same description."""
    text = refused(tmp_path / "nowhere")
    assert "no such folder" in text
    assert "w2s-cache data fetch domainnet --domain clipart" in text


def test_empty_and_undecodable_lists_are_refused(listed):
    """A list without a line, or with bytes that are no UTF-8, is an error."""
    root = listed(TRAIN, TEST)
    (root / "clipart_train.txt").write_text("\n")
    assert "no line" in refused(root)
    (root / "clipart_train.txt").write_bytes(b"clipart/axe/\xff.jpg 0\n")
    assert "byte 0xff at offset 12" in refused(root)


def test_unknown_domain_offers_the_known_ones(listed):
    """A domain the data set does not have is no missing file but a wrong name."""
    with pytest.raises(UnknownNameError, match="Did you mean 'clipart'"):
        read_domainnet(listed(TRAIN, TEST), "clipar")


def other_lists(root, train, test, domain="sketch"):
    """Writes the lists of another domain, without its images."""
    for half, lines in (("train", train), ("test", test)):
        if lines is not None:
            text = "".join(f"{domain}/{line}\n" for line in lines)
            (root / f"{domain}_{half}.txt").write_text(text, encoding="utf-8")


BOTH = ["axe/5.jpg 0", "The_Mona_Lisa/6.jpg 1"]


@pytest.mark.parametrize(
    ("train", "test"),
    [(BOTH, BOTH), (BOTH[:1], BOTH), (BOTH[1:], None), (None, None), (["no row", "axe 0"], BOTH)],
    ids=["the same", "no row in train", "one list", "no list", "broken lines"],
)
def test_domains_whose_lists_agree_or_are_absent_are_read(listed, train, test):
    """A class may lack rows in one list of another domain; broken lines are for its own reader."""
    root = listed(TRAIN, TEST)
    other_lists(root, train, test)
    assert read_domainnet(root, "clipart").classes == ("axe", "The_Mona_Lisa")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["The_Mona_Lisa/5.jpg 0", "axe/6.jpg 1"],
            "label 0 .*'axe' in clipart, 'The_Mona_Lisa' in",
        ),
        (["axe/5.jpg 0", "bee/6.jpg 1"], "label 1 .*'The_Mona_Lisa' in clipart, 'bee' in sketch"),
        (["axe/5.jpg 0"], "label 1 .*'The_Mona_Lisa' in clipart, no such label in sketch"),
        ([*BOTH, "zoo/7.jpg 2"], "label 2 .*no such label in clipart, 'zoo' in sketch"),
    ],
    ids=["permuted", "another class", "fewer", "more"],
)
def test_domains_that_disagree_are_refused(listed, lines, said):
    """Accuracies of different classes are not averaged: domain, label and both names are said."""
    root = listed(TRAIN, TEST)
    other_lists(root, lines, lines)
    assert re.search(said, refused(root))
    assert read_domainnet(root, "clipart", domains=("clipart",))
    assert read_domainnet(root, "clipart", classes=("axe", "The_Mona_Lisa"))


@pytest.mark.parametrize("label", ["3000000000", "1" * 5000], ids=["large", "long"])
def test_a_label_of_many_digits_is_refused(listed, label):
    """It is no label, and the message stays short."""
    error = refused(listed([*TRAIN, f"clipart/axe/9.jpg {label}"], TEST))
    assert "line 3" in error
    assert len(error) < 600


def test_a_name_that_no_file_system_takes_is_refused(listed):
    """A name of 300 characters is an error of the list, named and shortened."""
    root = listed(TRAIN, TEST)
    with (root / "clipart_train.txt").open("a") as file:
        file.write(f"clipart/axe/{'x' * 300}.jpg 0\n")
    assert "cannot be looked up" in refused(root)
