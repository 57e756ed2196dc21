"""What extraction is asked for, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from w2s_cache.data.listing import Listing
from w2s_cache.data.source import list_domain
from w2s_cache.data.templates import resolve_templates
from w2s_cache.extract.bad_images import OnError
from w2s_cache.request import feature_request
from w2s_cache.spec import Spec, StrongSpec, WeakSpec
from w2s_cache.store.failures import RowFailure
from w2s_cache.store.feature_set import FeatureSet, read_feature_set


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtractRequest:
    """What to extract and with what means.

    Attributes:
        spec: The whole spec.
        strong_name: Name of the strong encoder's section.
        strong: That section.
        weak_name: Name of the weak model's section, or of imported predictions.
        weak: That section; None for imported predictions.
        weak_logits: The file of imported predictions; None when the weak model is fine-tuned here.
        home: The cache home.
        root: The data root.
        device: A torch device string, or ``"auto"``.
        workers: Decoding threads of each process.
        crew: Devices of the processes that encode images, one each; empty encodes in this one.
        batch_size: Images per forward pass; None takes the spec's.
        recheck: Read every image, load the models and compare their weights even if nothing asked
            for has changed.
        on_error: What becomes of images that cannot be used: ``"stop"`` ends with a list of them,
            ``"skip"`` leaves their rows invalid.
        retry_skipped: Try images again that were skipped earlier; what they were missing from is
            computed anew.

    Raises:
        UnknownNameError: There is no such set of templates.
        SpecError: A literal template has no placeholder.
    """

    spec: Spec
    strong_name: str
    strong: StrongSpec
    weak_name: str
    weak: WeakSpec | None
    weak_logits: Path | None
    home: Path
    root: Path
    device: str
    workers: int
    batch_size: int | None = None
    recheck: bool = False
    crew: tuple[str, ...] = ()
    on_error: OnError = "stop"
    retry_skipped: bool = False

    def __post_init__(self) -> None:
        resolve_templates(self.strong.templates)  # text comes last, after hours of images


def listing_of(request: ExtractRequest, domain: str) -> Listing:
    """The domain's rows, whose files may be absent where images may be skipped.

    Raises:
        DataError: The domain is not what the spec says.
    """
    spec, skip = request.spec, request.on_error == "skip"
    return list_domain(spec.data, spec.name, request.root, domain, absent_allowed=skip)


def stored_set(request: ExtractRequest, domain: str) -> FeatureSet:
    """The pair's feature set in the cache, if it was made with what is asked for.

    Raises:
        StoreError: There is none.
        CorruptStoreError: It cannot be read.
        StaleStoreError: It was made with other settings.
    """
    return read_feature_set(
        request.home,
        dataset=request.spec.name,
        domain=domain,
        strong=request.strong_name,
        weak=request.weak_name,
        request=feature_request(request.spec, strong=request.strong, weak=request.weak),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Extracted:
    """What became of one domain.

    Attributes:
        domain: Its name.
        rows: Rows in the index.
        computed: Rows computed now, by part.
        skipped: The images left out, now or earlier, by row.
        failures: The file that lists them; None when there are none.
    """

    domain: str
    rows: int
    computed: dict[str, int]
    skipped: tuple[RowFailure, ...] = ()
    failures: Path | None = None

    @property
    def reused(self) -> bool:
        """Whether everything was there already."""
        return not any(self.computed.values())
