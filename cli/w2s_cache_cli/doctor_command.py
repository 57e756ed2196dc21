"""`w2s-cache doctor`: is this installation fit for work?"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from w2s_cache.counted import counted
from w2s_cache_cli.options import cache_dir_option, results_dir_option
from w2s_cache_cli.terminal import echo

if TYPE_CHECKING:
    from w2s_cache.doctor.finding import Finding
    from w2s_cache.doctor.places import Places


@click.command()
@click.option("--online", is_flag=True, help="Also ask the hub of weights whether it answers.")
@click.option(
    "--root",
    envvar="W2S_DATA_ROOT",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="Folder of the images, to be looked at too.",
)
@click.option(
    "--format",
    "layout",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="text for people, json for programs.",
)
@cache_dir_option
@results_dir_option
@click.pass_context
def command(
    ctx: click.Context,
    online: bool,
    root: Path | None,
    layout: str,
    cache_dir: Path,
    results_dir: Path,
) -> None:
    """Check versions, devices, disk, locks, network and where everything lives.

    Locks, atomic renames and the case of names are tried in the cache's own file system; what is
    written for that is removed. Each line says ok, warn or FAIL and what to do. Exit code 1 when
    something fails.

    \b
    Examples:
      w2s-cache doctor
      w2s-cache doctor --online --format json
    """
    from w2s_cache.doctor.places import Places

    source = ctx.get_parameter_source("cache_dir")
    places = Places(
        cache=cache_dir,
        cache_named=source is ParameterSource.COMMANDLINE,
        results=results_dir,
        data_root=root,
    )
    findings = list(_findings(places, online=online))
    shown = _as_json(findings) if layout == "json" else _as_text(findings)
    echo(shown)
    sys.exit(1 if any(finding.level == "fail" for finding in findings) else 0)


def _findings(places: Places, *, online: bool) -> Iterator[Finding]:
    from w2s_cache.doctor.devices import device_findings
    from w2s_cache.doctor.file_system import file_system_findings
    from w2s_cache.doctor.network import network_findings
    from w2s_cache.doctor.places import place_findings
    from w2s_cache.doctor.space import space_findings
    from w2s_cache.doctor.versions import version_findings

    versions = list(version_findings())
    yield from versions
    if not any(finding.name == "torch" and finding.level == "fail" for finding in versions):
        yield from device_findings()
    yield from space_findings(
        {"cache home": places.cache, "results": places.results, "data root": places.data_root}
    )
    yield from file_system_findings(places.cache)
    yield from network_findings(online=online)
    yield from place_findings(places)


def _as_json(findings: Sequence[Finding]) -> str:
    return json.dumps([asdict(finding) for finding in findings], indent=1, ensure_ascii=False)


def _as_text(findings: Sequence[Finding]) -> str:
    lines, section = [], ""
    for finding in findings:
        if finding.section != section:
            section = finding.section
            lines.append(section)
        mark = "FAIL" if finding.level == "fail" else finding.level
        lines.append(f"  {mark:4} {finding.name:14} {finding.value}")
        if finding.fix:
            lines.append(f"       {'':14} → {finding.fix}")
    counts = {level: sum(f.level == level for f in findings) for level in ("fail", "warn")}
    checks, warnings = counted(len(findings), "check"), counted(counts["warn"], "warning")
    lines.append(f"{checks}: {counts['fail']} failed, {warnings}")
    return "\n".join(lines)
