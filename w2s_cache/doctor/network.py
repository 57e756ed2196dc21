"""Whether weights may be, and can be, downloaded."""

from __future__ import annotations

import os
from collections.abc import Iterator

from w2s_cache.doctor.finding import Finding

SECTION = "network"
OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE")
TRUE = {"1", "ON", "YES", "TRUE"}  # as huggingface_hub reads them
DEFAULT_HUB = "https://huggingface.co"
TIMEOUT = 5.0  # seconds


def network_findings(*, online: bool) -> Iterator[Finding]:
    """Yields the offline switches in force and, when asked, whether the hub answers.

    Args:
        online: Whether to send one request to the hub; without it nothing leaves the machine.
    """
    offline = [name for name in OFFLINE if os.environ.get(name, "").upper() in TRUE]
    state = f"{', '.join(offline)} set: only weights that are here" if offline else "not set"
    yield Finding(section=SECTION, name="offline mode", level="ok", value=state)
    hub = os.environ.get("HF_ENDPOINT") or DEFAULT_HUB
    if not online:
        text = f"{hub} not asked (--online asks it)"
        yield Finding(section=SECTION, name="hub", level="ok", value=text)
        return
    yield _hub(hub, offline)


def _hub(hub: str, offline: list[str]) -> Finding:
    import requests

    try:
        status = requests.head(hub, timeout=TIMEOUT, allow_redirects=True).status_code
    except (requests.RequestException, ValueError) as error:
        return Finding(
            section=SECTION,
            name="hub",
            level="warn",
            value=f"{hub} does not answer ({type(error).__name__})",
            fix="Without it, give local weights: --strong-checkpoint, --weak-checkpoint, or "
            "--weak-logits.",
        )
    if status >= 400:
        fix = "Check HF_ENDPOINT and proxies."
        text = f"{hub} answers with status {status}"
        return Finding(section=SECTION, name="hub", level="warn", value=text, fix=fix)
    if offline:
        text, fix = (
            f"{hub} answers, {offline[0]} forbids asking it",
            f"Unset {offline[0]} to use it.",
        )
        return Finding(section=SECTION, name="hub", level="warn", value=text, fix=fix)
    return Finding(section=SECTION, name="hub", level="ok", value=f"{hub} answers")
