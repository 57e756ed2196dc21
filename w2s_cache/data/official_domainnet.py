"""What the official, cleaned DomainNet consists of: addresses, md5 sums, row counts.

Row counts are Table 2 of the CPL paper. The md5 sums of the archives and lists are what public
data loaders check their downloads against, taken where two of them agree. The archives of
clipart and painting are the cleaned ones, which lie in a folder of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["DOMAINNET_FILES", "DOMAINNET_ROWS", "ORIGINAL_TOTALS", "Rows", "Source"]

_SERVER = "http://csr.bu.edu/ftp/visda/2019/multi-source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file to download: its address, its md5 in hex, its name in the data root."""

    url: str
    md5: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Number of rows of the two official lists."""

    train: int
    test: int


def _files(
    domain: str, archive: str, train: str, test: str, folder: str = ""
) -> tuple[Source, ...]:
    """The three files of a domain: archive, training list, test list, with their md5 sums."""
    lists = f"{_SERVER}/domainnet/txt"
    return (
        Source(url=f"{lists}/{domain}_train.txt", md5=train, name=f"{domain}_train.txt"),
        Source(url=f"{lists}/{domain}_test.txt", md5=test, name=f"{domain}_test.txt"),
        Source(url=f"{_SERVER}/{folder}{domain}.zip", md5=archive, name=f"{domain}.zip"),
    )


DOMAINNET_FILES: Mapping[str, tuple[Source, ...]] = MappingProxyType(
    {
        "clipart": _files(
            "clipart",
            "cd0d8f2d77a4e181449b78ed62bccf1e",
            "b4349693a7f9c05c53955725c47ed6cb",
            "f5ddbcfd657a3acf9d0f7da10db22565",
            folder="groundtruth/",
        ),
        "infograph": _files(
            "infograph",
            "720380b86f9e6ab4805bb38b6bd135f8",
            "379b50054f4ac2018dca4f89421b92d9",
            "779626b50869edffe8ea6941c3755c71",
        ),
        "painting": _files(
            "painting",
            "1ae32cdb4f98fe7ab5eb0a351768abfd",
            "7db0e7ca73ad9982f6e1f7f3ef372c0a",
            "232b35dc53f26d414686ae579e38d9b5",
            folder="groundtruth/",
        ),
        "quickdraw": _files(
            "quickdraw",
            "bdc1b6f09f277da1a263389efe0c7a66",
            "b732ced3939ac8efdd8c0a889dca56cc",
            "c1a828fdfe216fb109f1c0083a252c6f",
        ),
        "real": _files(
            "real",
            "dcc47055e8935767784b7162e7c7cca6",
            "8ebf02c2075fadd564705f0dc7cd6291",
            "6098816791c3ebed543c71ffa11b9054",
        ),
        "sketch": _files(
            "sketch",
            "658d8009644040ff7ce30bb2e820850f",
            "1233bd18aa9a8a200bf4cecf1c34ef3e",
            "d8a222e4672cfd585298aa14d02ea441",
        ),
    }
)

DOMAINNET_ROWS: Mapping[str, Rows] = MappingProxyType(
    {
        "clipart": Rows(train=33525, test=14604),
        "infograph": Rows(train=36023, test=15582),
        "painting": Rows(train=50416, test=21850),
        "quickdraw": Rows(train=120750, test=51750),
        "real": Rows(train=120906, test=52041),
        "sketch": Rows(train=48212, test=20916),
    }
)

ORIGINAL_TOTALS: Mapping[str, int] = MappingProxyType(
    {
        "clipart": 48837,
        "infograph": 53201,
        "painting": 75759,
        "quickdraw": 172500,
        "real": 175327,
        "sketch": 70386,
    }
)
"""Images per domain before the cleaning, to recognise the older release by."""
