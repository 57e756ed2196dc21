"""Which libraries are installed, and whether they can be imported."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from w2s_cache import __version__
from w2s_cache.doctor.finding import Finding

REQUIRED = {
    "torch": "torch",
    "torchvision": "torchvision",
    "open_clip": "open_clip_torch",
    "timm": "timm",
    "h5py": "h5py",
    "numpy": "numpy",
    "pyarrow": "pyarrow",
}
OPTIONAL = {
    "transformers": "BLIP, CvT-13: pip install 'w2s-cache[hf]'",
    "matplotlib": "w2s-cache plot: pip install 'w2s-cache[plots]'",
}
FAISS = ("faiss-cpu", "faiss-gpu")
SECTION = "versions"


def version_findings() -> Iterator[Finding]:
    """Yields a finding per library; one that is absent or breaks at import fails."""
    yield _found("w2s-cache", __version__)
    yield _found("python", platform.python_version())
    for module, package in REQUIRED.items():
        yield _required(module, package)
    yield _hdf5()
    yield _faiss()
    for package, purpose in OPTIONAL.items():
        here = installed(package)
        yield _found(package, here or f"not installed (optional; {purpose})")


def installed(package: str) -> str | None:
    """The version of an installed package, None when there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _found(name: str, value: str) -> Finding:
    return Finding(section=SECTION, name=name, level="ok", value=value)


def _required(module: str, package: str) -> Finding:
    problem = _import_problem(module)
    if problem:
        return Finding(
            section=SECTION,
            name=module,
            level="fail",
            value=problem,
            fix=f"Run `pip install --force-reinstall {package}`.",
        )
    return _found(module, installed(package) or "installed, of unknown version")


def _hdf5() -> Finding:
    problem = _import_problem("h5py")
    if problem:
        return Finding(section=SECTION, name="HDF5", level="fail", value=problem, fix="See h5py.")
    h5py = importlib.import_module("h5py")
    return _found("HDF5", str(h5py.version.hdf5_version))


def _faiss() -> Finding:
    """The CPU and the GPU build overwrite each other's files."""
    here = {package: found for package in FAISS if (found := installed(package))}
    problem = _import_problem("faiss")
    if len(here) > 1:
        return Finding(
            section=SECTION,
            name="faiss",
            level="warn",
            value=" and ".join(f"{package} {found}" for package, found in here.items()),
            fix="They overwrite each other: uninstall both, then install the one you want.",
        )
    if problem:
        fix = "Run `pip install faiss-cpu`; methods with neighbours need it."
        return Finding(section=SECTION, name="faiss", level="fail", value=problem, fix=fix)
    return _found("faiss", " ".join(f"{p} {found}" for p, found in here.items()) or "installed")


def _import_problem(module: str) -> str:
    """Why a module cannot be imported, in one line; empty when it can."""
    try:
        importlib.import_module(module)
    except (ImportError, OSError, RuntimeError, AttributeError) as error:  # broken binaries too
        return f"{type(error).__name__}: {error}".partition("\n")[0]
    return ""
