"""Says whether a change of a schema keeps the promises of docs/contracts.md ("How contracts change").

Two directions. What crawlers send (raw): the new schema must take all that the old one took. What we write:
readers that know the old schema must be able to go on, ignoring fields and values that they do not know.
Only keywords that the schemas use are known (tests/contract/test_schemas.py keeps the list); a condition
(`if`, `anyOf` of more than a type and null) that changed is refused, since nobody can tell what it means.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import yaml
from contract_files import ROOT

CURRENT = ROOT / "schemas"
PUBLISHED = CURRENT / "published" / "v1"

Direction = Literal["read", "written"]
"""Who keeps to the schema: `read` are records that others write, `written` are records of ours."""

LOWER = ("minimum", "minLength")
UPPER = ("maximum",)
CONDITIONS = ("if", "then", "else", "allOf", "anyOf", "$ref", "pattern", "const")
KEPT_OF_TOPICS = ("schema", "event_type", "key", "partition_by", "partitions")


def broken_promises(old: Any, new: Any, direction: Direction, where: str = "") -> Iterator[str]:
    """Yield a sentence for everything in which `new` breaks what `old` promised."""
    here = where or "the record"
    yield from _types(_set(old, "type"), _set(new, "type"), direction, here)
    yield from _values(old.get("enum"), new.get("enum"), direction, here)
    yield from _bounds(old, new, direction, here)
    for keyword in CONDITIONS:
        if _meaning(old.get(keyword)) != _meaning(new.get(keyword)):
            yield f"{here}: {keyword} changed"
    yield from _fields(old, new, direction, where)
    for keyword in ("items", "additionalProperties"):
        if isinstance(old.get(keyword), dict) and isinstance(new.get(keyword), dict):
            yield from broken_promises(old[keyword], new[keyword], direction, f"{where}/{keyword}")
        elif old.get(keyword, True) is not False and new.get(keyword, True) is False:
            yield f"{here}: {keyword} is now false"
        elif isinstance(old.get(keyword), dict) != isinstance(new.get(keyword), dict):
            yield f"{here}: {keyword} changed"


def _types(old: set[str], new: set[str], direction: Direction, here: str) -> Iterator[str]:
    wider, narrower = (new, old) if direction == "read" else (old, new)
    wider = wider | {"integer"} if "number" in wider else wider
    if wider and (not narrower or not narrower <= wider):
        yield f"{here}: type changed from {sorted(old) or 'any'} to {sorted(new) or 'any'}"


def _values(old: list[Any] | None, new: list[Any] | None, direction: Direction, here: str) -> Iterator[str]:
    if direction == "read" and new is not None and (old is None or not set(old) <= set(new)):
        yield f"{here}: enum takes less than before"
    if direction == "written" and old is not None and new is None:
        yield f"{here}: enum is gone"


def _bounds(old: Any, new: Any, direction: Direction, here: str) -> Iterator[str]:
    for keyword in (*LOWER, *UPPER):
        sign = 1 if keyword in LOWER else -1
        open_end = float("-inf")
        before = sign * old[keyword] if keyword in old else open_end
        after = sign * new[keyword] if keyword in new else open_end
        if (after > before) if direction == "read" else (after < before):
            yield f"{here}: {keyword} changed from {old.get(keyword)} to {new.get(keyword)}"


def _fields(old: Any, new: Any, direction: Direction, where: str) -> Iterator[str]:
    for name, schema in old.get("properties", {}).items():
        if name in new.get("properties", {}):
            yield from broken_promises(schema, new["properties"][name], direction, f"{where}/{name}")
        else:
            yield f"{where}/{name}: the field is gone"
    required, now = set(old.get("required", ())), set(new.get("required", ()))
    changed = now - required if direction == "read" else required - now
    word = "is required now" if direction == "read" else "is no longer always there"
    yield from (f"{where}/{name}: the field {word}" for name in sorted(changed))


def _set(schema: Any, keyword: str) -> set[str]:
    given = schema.get(keyword, [])
    return {given} if isinstance(given, str) else set(given)


def _meaning(condition: Any) -> Any:
    """Return a condition without what is only said to people."""
    if isinstance(condition, dict):
        return {k: _meaning(v) for k, v in condition.items() if k not in ("description", "title", "examples")}
    return [_meaning(one) for one in condition] if isinstance(condition, list) else condition


def all_broken_promises(old: Path, new: Path) -> Iterator[str]:
    """Compare two directories with `records/` and `topics/`."""
    for path in sorted(old.glob("records/*.schema.json")):
        now = new / "records" / path.name
        if not now.is_file():
            yield f"{path.name}: the schema is gone"
            continue
        direction: Direction = "read" if path.name.startswith("raw-") else "written"
        for broken in broken_promises(_json(path), _json(now), direction):
            yield f"{path.name}{'' if broken.startswith('/') else ', '}{broken}"
    for path in sorted(old.glob("topics/*.yaml")):
        now = new / "topics" / path.name
        if not now.is_file():
            yield f"{path.name}: the topic is gone"
            continue
        before, after = (yaml.safe_load(one.read_text(encoding="utf-8")) for one in (path, now))
        for name in KEPT_OF_TOPICS:
            if before[name] != after[name]:
                yield f"{path.name}: {name} changed from {before[name]} to {after[name]}"


def publish() -> None:
    """Make what is there now the baseline; refuses what breaks the promises of the last one."""
    broken = list(all_broken_promises(PUBLISHED, CURRENT))
    if broken:
        raise SystemExit("Not published, since this needs a v2:\n" + "\n".join(broken))
    for name in ("records", "topics"):
        shutil.copytree(CURRENT / name, PUBLISHED / name, dirs_exist_ok=True)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    publish()
