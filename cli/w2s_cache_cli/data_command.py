"""`w2s-cache data`: check or fetch a data set."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click

from w2s_cache.counted import counted
from w2s_cache_cli.options import (
    cache_dir_option,
    chosen_domains,
    domain_option,
    quiet_option,
    read_spec,
    root_option,
)
from w2s_cache_cli.progress import Bars
from w2s_cache_cli.suggestions import SuggestingGroup
from w2s_cache_cli.terminal import echo


def _announce(text: str) -> None:
    echo(text, err=True)


@click.group(cls=SuggestingGroup)
def command() -> None:
    """Check a data set on disk, fetch one, or print its classes.

    \b
    Examples:
      w2s-cache data fetch domainnet --domain sketch --root /data/domainnet
      w2s-cache data check domainnet --root /data/domainnet
      w2s-cache data index pocket --domain real > rows.csv
    """


@command.command(short_help="Check the lists or folders of a data set.")
@click.argument("spec_name", metavar="SPEC")
@domain_option
@root_option
@cache_dir_option
def check(spec_name: str, domains: tuple[str, ...], root: str | None, cache_dir: Path) -> None:
    """Read the lists or folders of SPEC; DomainNet is also checked by md5 and row counts."""
    from w2s_cache.data.source import data_root, list_domain, list_domains

    spec = read_spec(spec_name)
    found = data_root(spec.data, given=root, home=cache_dir, announce=_announce)
    names = chosen_domains(spec, domains, list_domains(spec.data, found))
    if spec.name == "domainnet":
        sys.exit(1 if _check_domainnet(found, names) else 0)
    for domain in names:
        listing = list_domain(spec.data, spec.name, found, domain)
        train = sum(entry.split == "train" for entry in listing.entries)
        echo(
            f"{domain}: {counted(len(listing.classes), 'class')}, {train:,} train, "
            f"{len(listing.entries) - train:,} test"
        )
        for note in listing.notes:
            echo(f"{domain}: {note}")


def _check_domainnet(root: Path, domains: tuple[str, ...]) -> bool:
    from w2s_cache.data.integrity import check_domainnet

    findings = check_domainnet(root, domains)
    for finding in findings:
        echo(f"{finding.level}: {finding.text}")
    return any(finding.level == "problem" for finding in findings)


@command.command(short_help="Download a data set, check and unpack it.")
@click.argument("dataset")
@domain_option
@click.option("--root", required=True, type=click.Path(path_type=Path), help="Where to put it.")
@quiet_option
def fetch(dataset: str, domains: tuple[str, ...], root: Path, quiet: bool) -> None:
    """Download DATASET (domainnet) with resume, check its md5 sums and unpack it."""
    from w2s_cache.data.fetch import FETCHABLE, fetch

    bars = Bars(quiet=quiet)
    for domain in domains or tuple(FETCHABLE.get(dataset, ("all",))):
        bars.begin(f"{dataset} {domain}", None, unit="B")
        fetch(dataset, domain, root, progress=bars.advance)
        bars.end()
        echo(f"{domain}: in {root}")


@command.command(short_help="Print every row of a data set as CSV.")
@click.argument("spec_name", metavar="SPEC")
@domain_option
@root_option
@cache_dir_option
def index(spec_name: str, domains: tuple[str, ...], root: str | None, cache_dir: Path) -> None:
    """Print path, label, class and split of every row of SPEC as CSV, in row order."""
    from w2s_cache.data.source import data_root, list_domain, list_domains

    spec = read_spec(spec_name)
    found = data_root(spec.data, given=root, home=cache_dir, announce=_announce)
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["path", "label", "class", "split"])
    for domain in chosen_domains(spec, domains, list_domains(spec.data, found)):
        listing = list_domain(spec.data, spec.name, found, domain)
        for entry in listing.entries:
            rows.writerow([entry.path, entry.label, listing.classes[entry.label], entry.split])


@command.command()
@click.argument("spec_name", metavar="SPEC")
@root_option
@cache_dir_option
def classes(spec_name: str, root: str | None, cache_dir: Path) -> None:
    """Print the class names of SPEC in label order."""
    from w2s_cache.data.source import data_root, list_domain, list_domains

    spec = read_spec(spec_name)
    found = data_root(spec.data, given=root, home=cache_dir, announce=_announce)
    listing = list_domain(spec.data, spec.name, found, list_domains(spec.data, found)[0])
    for label, name in enumerate(listing.classes):
        echo(f"{label}\t{name}")
