"""A manifest as JSON: written, read back to an equal value, refused where it is not one."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import asdict

from pydantic import TypeAdapter, ValidationError

from w2s_cache.command_line import command_line
from w2s_cache.errors import BrokenManifestError, NewerStoreError
from w2s_cache.store.judge import array_problems, shard_problems
from w2s_cache.store.layout import MANIFEST_FILE, SCHEMA, Manifest
from w2s_cache.store.shallow_json import parse_json


def manifest_to_json(manifest: Manifest) -> str:
    """Write a manifest as indented JSON; ``manifest_from_json`` reads it back to an equal value."""
    fields = {"schema": SCHEMA, "key_digest": manifest.key_digest, **asdict(manifest)}
    return json.dumps(fields, indent=1, allow_nan=False) + "\n"


def manifest_from_json(text: str | bytes, *, source: str = MANIFEST_FILE) -> Manifest:
    """Read a manifest, refusing everything that this version would not have written.

    Args:
        text: Content of ``manifest.json``.
        source: What to call it in errors, e.g. its path.

    Raises:
        BrokenManifestError: not JSON, unknown or missing fields, wrong types, another schema, a key
            digest that is not the key's, arrays that do not fit the kind, shards off their grid.
        NewerStoreError: it states the schema of a newer version.
    """
    try:
        manifest, schema, key_digest = parse_manifest(text, source=source)
    except BrokenManifestError:
        _refuse_newer(stated_schema(text), source)
        raise
    _refuse_newer(schema, source)
    problems = [
        *schema_problems(schema),
        *key_problems(manifest, key_digest),
        *array_problems(manifest),
        *shard_problems(manifest),
    ]
    if problems:
        raise _broken(source, "; ".join(problems))
    return manifest


def parse_manifest(text: str | bytes, *, source: str) -> tuple[Manifest, str, str]:
    """Read the fields of a manifest by name and type, without judging their values.

    Returns:
        The manifest, the schema and the key digest that its file states.

    Raises:
        BrokenManifestError: not JSON, unknown or missing fields, wrong types.
    """
    try:
        fields = parse_json(text, parse_constant=_refuse_constant)
        if not isinstance(fields, dict):
            raise _broken(source, "no JSON object")
        schema, key_digest = fields.pop("schema", None), fields.pop("key_digest", None)
        if not isinstance(schema, str) or not isinstance(key_digest, str):
            raise _broken(source, "no string schema and key_digest", *schema_problems(schema))
        return _adapter().validate_json(json.dumps(fields)), schema, key_digest
    except ValidationError as error:
        raise _broken(source, _first_lines(error), *schema_problems(schema)) from error
    except ValueError as error:
        raise _broken(source, f"text that is not JSON ({error})") from error


def stated_schema(text: str | bytes) -> object:
    """Return what a manifest states as its schema; None when it is unreadable or states none."""
    try:
        fields = parse_json(text)
    except ValueError:
        return None
    return fields.get("schema") if isinstance(fields, dict) else None


def schema_problems(schema: object) -> list[str]:
    """Say what is wrong with the schema a manifest states; empty when nothing is."""
    return [] if schema == SCHEMA else [f"schema {schema!r} where this version reads {SCHEMA!r}"]


def is_newer(schema: object) -> bool:
    """Whether a schema is that of a later version of this format, whose stores are left alone."""
    name, own = SCHEMA.rsplit("/", 1)
    found = re.fullmatch(
        rf"{re.escape(name)}/([0-9]{{1,9}})", schema if isinstance(schema, str) else ""
    )
    return found is not None and int(found[1]) > int(own)


def key_problems(manifest: Manifest, stated: str) -> list[str]:
    """Say whether the stated key digest is not that of the key."""
    found = manifest.key_digest
    return [] if stated == found else [f"key_digest {stated!r} where the key has {found!r}"]


@functools.cache
def _adapter() -> TypeAdapter[Manifest]:
    return TypeAdapter(Manifest)


def _first_lines(error: ValidationError) -> str:
    places = [(".".join(map(str, e["loc"])) or "manifest", e["msg"]) for e in error.errors()]
    return "; ".join(f"{place}: {message}" for place, message in places[:5])


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not a number of JSON")


def _refuse_newer(schema: object, source: str) -> None:
    if is_newer(schema):
        raise NewerStoreError(
            f"{source} was written by a newer version of w2s-cache",
            expected=f"a manifest of schema {SCHEMA}",
            found=f"schema {schema}",
            fix=f"Use that version, or run `{command_line('extract', cache_dir='DIR')}` with a "
            "folder for this one; what is there is left as it is.",
        )


def _broken(source: str, *found: str) -> BrokenManifestError:
    return BrokenManifestError(
        f"{source} is not a manifest this version can use",
        expected=f"a manifest of schema {SCHEMA}",
        found="; ".join(found),
        fix="Run `w2s-cache extract` again with the same spec: it computes the store anew.",
    )
