"""Downloads from a server on this machine."""

import functools
import hashlib
import http.server
import io
import re
import stat
import threading
import zipfile

import pytest

from w2s_cache.data.domainnet import read_domainnet
from w2s_cache.data.fetch import fetch
from w2s_cache.data.official_domainnet import Source
from w2s_cache.errors import DownloadError, UnknownNameError

LISTS = {
    "clipart_train.txt": b"clipart/axe/1.jpg 0\n",
    "clipart_test.txt": b"clipart/axe/2.jpg 0\n",
}
MEMBERS = {"clipart/axe/1.jpg": bytes(range(256)) * 40, "clipart/axe/2.jpg": b"two"}


def zipped(members, *, link=None):
    """A zip archive with these members, and perhaps a symbolic link."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        if link:
            info = zipfile.ZipInfo(link)
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, "/etc")
    return buffer.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves a dict of files; can ignore ranges and break off once after some bytes."""

    def __init__(self, site, *args):
        self.site = site
        super().__init__(*args)

    def do_GET(self):
        """One file, whole or from the byte that was asked for."""
        self.site.requests.append((self.path, self.headers.get("Range")))
        body = self.site.files.get(self.path[1:])
        if body is None:
            self.send_error(404)
            return
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        start = int(asked[1]) if asked and self.site.ranges else 0
        if start and start >= len(body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        cut, self.site.cut = self.site.cut, None
        self.wfile.write(body[start:cut])
        self.close_connection = True

    def log_message(self, *_):
        """Say nothing on stderr."""


class Site:
    """What the server knows: its files, its manners, what it was asked."""

    def __init__(self):
        self.files = {**LISTS, "clipart.zip": zipped(MEMBERS)}
        self.ranges = True
        self.cut = None
        self.requests = []
        self.url = ""

    def catalogue(self, **md5):
        """The catalogue that `fetch` reads, with the right sums but for those given."""
        sources = [
            Source(
                url=f"{self.url}/{name}",
                md5=md5.get(name.split(".")[0])
                or hashlib.md5(body, usedforsecurity=False).hexdigest(),
                name=name,
            )
            for name, body in self.files.items()
        ]
        return {"domainnet": {"clipart": sources}}


@pytest.fixture
def site():
    """A running server."""
    site = Site()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, site))
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


def refused(site, root, **md5):
    """The message of the DownloadError, checked for its four parts and for one line."""
    with pytest.raises(DownloadError) as caught:
        fetch("domainnet", "clipart", root, catalogue=site.catalogue(**md5))
    error = caught.value
    assert all((error.what, error.expected, error.found, error.fix))
    assert "\n" not in str(error)
    return str(error)


def names(root):
    """All names in the root, hidden ones too."""
    return sorted(path.name for path in root.iterdir())


COMPLETE = ["clipart", "clipart.zip", "clipart_test.txt", "clipart_train.txt"]


def test_a_domain_arrives_complete_and_can_be_read(site, tmp_path):
    """Lists, archive and unpacked images; the progress adds up to all bytes."""
    steps = []
    root = tmp_path / "new" / "root"
    folder = fetch("domainnet", "clipart", root, progress=steps.append, catalogue=site.catalogue())
    assert folder == root / "clipart"
    assert names(root) == COMPLETE
    assert (folder / "axe" / "1.jpg").read_bytes() == MEMBERS["clipart/axe/1.jpg"]
    assert sum(steps) == sum(map(len, site.files.values()))
    assert len(read_domainnet(root, "clipart").entries) == 2


def test_what_is_there_is_not_fetched_again(site, tmp_path):
    """A second run asks the server for nothing, even when the archive was deleted."""
    fetch("domainnet", "clipart", tmp_path, catalogue=site.catalogue())
    site.requests.clear()
    (tmp_path / "clipart.zip").unlink()
    fetch("domainnet", "clipart", tmp_path, catalogue=site.catalogue())
    assert site.requests == []


@pytest.mark.parametrize("ranges", [True, False])
def test_a_partial_file_is_continued_or_begun_anew(site, tmp_path, ranges):
    """With Range support only the rest is asked for; without it the file starts over."""
    site.ranges = ranges
    body = site.files["clipart.zip"]
    (tmp_path / "clipart.zip.part").write_bytes(body[:1000])
    fetch("domainnet", "clipart", tmp_path, catalogue=site.catalogue())
    assert ("/clipart.zip", "bytes=1000-") in site.requests
    assert (tmp_path / "clipart.zip").read_bytes() == body
    assert names(tmp_path) == COMPLETE


def test_a_connection_that_breaks_off_is_taken_up_again(site, tmp_path):
    """The second request asks for what the first did not bring."""
    del site.files["clipart_train.txt"], site.files["clipart_test.txt"]
    site.files["clipart.zip"] = zipped({**MEMBERS, "clipart/axe/3.jpg": bytes(300_000)})
    site.cut = 200_000
    fetch("domainnet", "clipart", tmp_path, catalogue=site.catalogue())
    assert [path for path, _ in site.requests] == ["/clipart.zip"] * 2
    assert site.requests[0][1] is None
    assert re.fullmatch(r"bytes=[1-9]\d*-", site.requests[1][1])
    assert (tmp_path / "clipart/axe/2.jpg").read_bytes() == b"two"


def test_a_complete_partial_file_needs_no_bytes(site, tmp_path):
    """An interrupt between the last byte and the rename costs nothing."""
    (tmp_path / "clipart.zip.part").write_bytes(site.files["clipart.zip"])
    fetch("domainnet", "clipart", tmp_path, catalogue=site.catalogue())
    assert names(tmp_path) == COMPLETE


def test_a_partial_file_that_is_too_long_is_thrown_away(site, tmp_path):
    """Whatever it was, it was not the beginning of this file."""
    (tmp_path / "clipart.zip.part").write_bytes(site.files["clipart.zip"] + b"more")
    fetch("domainnet", "clipart", tmp_path, catalogue=site.catalogue())
    assert names(tmp_path) == COMPLETE


def test_a_wrong_md5_is_refused_and_nothing_of_it_stays(site, tmp_path):
    """Neither the file, nor a part of it, nor the unpacked folder remains."""
    text = refused(site, tmp_path, clipart="0" * 32)
    assert "another md5" in text
    assert "0" * 32 in text
    assert names(tmp_path) == ["clipart_test.txt", "clipart_train.txt"]


def test_a_foreign_file_in_the_way_is_not_overwritten(site, tmp_path):
    """A list the user made himself is kept; the message says what is in the way."""
    (tmp_path / "clipart_train.txt").write_text("mine")
    assert "another file of that name" in refused(site, tmp_path)
    assert (tmp_path / "clipart_train.txt").read_text() == "mine"


def test_no_server_is_one_sentence_that_says_what_to_do(site, tmp_path):
    """Without a network: the address, the folder, and the check to run afterwards."""
    site.url = "http://127.0.0.1:9"  # the discard port, where nothing listens
    text = refused(site, tmp_path)
    assert "no connection to the server" in text
    assert f"Download http://127.0.0.1:9/clipart_train.txt by hand to {tmp_path}" in text
    assert "w2s-cache data check" in text


def test_a_missing_file_on_the_server_is_one_sentence(site, tmp_path):
    """The server's answer is named."""
    catalogue = site.catalogue()
    del site.files["clipart_test.txt"]
    with pytest.raises(DownloadError, match="the answer 404 Not Found"):
        fetch("domainnet", "clipart", tmp_path, catalogue=catalogue)


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ("../evil.txt", "climbs with '..'"),
        ("clipart/../../evil.txt", "climbs with '..'"),
        ("/tmp/evil.txt", "absolute path"),  # noqa: S108  a member's name, never written
        ("C:/evil.txt", "absolute path"),
    ],
)
def test_members_that_leave_the_target_are_refused(site, tmp_path, member, said):
    """One such member and not a byte is unpacked."""
    site.files["clipart.zip"] = zipped({**MEMBERS, member: b"evil"})
    root = tmp_path / "root"
    assert said in refused(site, root)
    assert "clipart" not in names(root)
    assert not list(tmp_path.rglob("evil.txt"))
    assert not list(root.glob("*.partial"))


def test_links_in_archives_are_refused(site, tmp_path):
    """A link could lead later members anywhere."""
    site.files["clipart.zip"] = zipped(MEMBERS, link="clipart/etc")
    assert "a symbolic link: 'clipart/etc'" in refused(site, tmp_path)
    assert "clipart" not in names(tmp_path)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<html>moved</html>", "not a zip file"),
        (zipped({"other/1.jpg": b""}), "no folder 'clipart' in it"),
        (zipped(MEMBERS).replace(b"two", b"TWO"), "Bad CRC-32"),
    ],
)
def test_broken_archives_are_refused_and_leave_no_folder(site, tmp_path, body, said):
    """No zip, another layout, a flipped byte: nothing is half unpacked."""
    site.files["clipart.zip"] = body
    assert said in refused(site, tmp_path)
    assert names(tmp_path) == ["clipart.zip", "clipart_test.txt", "clipart_train.txt"]


def test_unknown_names_offer_the_known_ones(tmp_path):
    """There is nothing to fetch for a data set or a domain that does not exist."""
    with pytest.raises(UnknownNameError, match="domainnet"):
        fetch("domain_net", "clipart", tmp_path)
    with pytest.raises(UnknownNameError, match="sketch"):
        fetch("domainnet", "scetch", tmp_path)
