"""No published contract is broken, and a reader one version behind goes on."""

import copy
import shutil

import pytest
from compatibility import CURRENT, PUBLISHED, all_broken_promises, broken_promises

OLD = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "minLength": 1, "pattern": "^a"},
        "size": {"type": "integer", "minimum": 0, "maximum": 9},
        "kind": {"enum": ["exact", "near"]},
        "note": {"type": ["string", "null"]},
        "list": {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "number"}}}},
    },
    "required": ["id", "kind"],
    "if": {"required": ["note"]},
    "then": {"required": ["size"]},
}


def changed(*path, to=None, remove=False):
    new = copy.deepcopy(OLD)
    at = new
    for name in path[:-1]:
        at = at[name]
    if remove:
        del at[path[-1]]
    else:
        at[path[-1]] = to
    return new


def test_what_is_written_now_keeps_the_promises_of_what_is_published():
    assert list(all_broken_promises(PUBLISHED, CURRENT)) == []


def test_what_is_published_is_complete():
    for name in ("records", "topics"):
        assert {p.name for p in (PUBLISHED / name).iterdir()} <= {p.name for p in (CURRENT / name).iterdir()}
        assert list((PUBLISHED / name).iterdir())


PROPERTY = "properties"
REFUSED = [
    ("both", changed(PROPERTY, "note", remove=True), "/note: the field is gone"),
    ("both", changed(PROPERTY, "id", "type", to="integer"), "/id: type changed"),
    (
        "both",
        changed(PROPERTY, "list", "items", "properties", "x", "type", to="string"),
        "/list/items/x: type",
    ),
    ("both", changed(PROPERTY, "id", "pattern", to="^b"), "/id: pattern changed"),
    ("both", changed("then", to={"required": ["list"]}), "the record: then changed"),
    ("both", changed("additionalProperties", to=False), "additionalProperties is now false"),
    ("read", changed("required", to=["id", "kind", "size"]), "/size: the field is required now"),
    ("read", changed(PROPERTY, "kind", "enum", to=["exact"]), "/kind: enum takes less"),
    ("read", changed(PROPERTY, "note", "enum", to=["a"]), "/note: enum takes less"),
    ("read", changed(PROPERTY, "note", "type", to="string"), "/note: type changed"),
    ("read", changed(PROPERTY, "id", "minLength", to=2), "/id: minLength changed"),
    ("read", changed(PROPERTY, "size", "maximum", to=8), "/size: maximum changed"),
    ("written", changed("required", to=["id"]), "/kind: the field is no longer always there"),
    ("written", changed(PROPERTY, "id", "type", to=["string", "null"]), "/id: type changed"),
    ("written", changed(PROPERTY, "size", "type", to="number"), "/size: type changed"),
    ("written", changed(PROPERTY, "id", "type", remove=True), "/id: type changed"),
    ("written", changed(PROPERTY, "kind", "enum", remove=True), "/kind: enum is gone"),
    ("written", changed(PROPERTY, "size", "minimum", remove=True), "/size: minimum changed"),
    ("written", changed(PROPERTY, "size", "maximum", to=10), "/size: maximum changed"),
]


@pytest.mark.parametrize(("direction", "new", "said"), REFUSED, ids=[said for *_, said in REFUSED])
def test_a_change_that_breaks_somebody_is_refused(direction, new, said):
    for one in ("read", "written") if direction == "both" else (direction,):
        (broken,) = broken_promises(OLD, new, one)
        assert said in broken


ACCEPTED = [
    ("both", OLD),
    ("both", changed(PROPERTY, "more", to={"type": "string"})),
    ("both", changed(PROPERTY, "id", "description", to="said to people only")),
    ("both", changed(PROPERTY, "kind", "enum", to=["exact", "near", "derived"])),
    ("read", changed("required", to=["id"])),
    ("read", changed(PROPERTY, "size", "type", to="number")),
    ("read", changed(PROPERTY, "id", "minLength", to=0)),
    ("written", changed("required", to=["id", "kind", "size"])),
    ("written", changed(PROPERTY, "note", "type", to="string")),
    ("written", changed(PROPERTY, "size", "minimum", to=1)),
]


@pytest.mark.parametrize(("direction", "new"), ACCEPTED)
def test_a_change_that_breaks_nobody_passes(direction, new):
    for one in ("read", "written") if direction == "both" else (direction,):
        assert list(broken_promises(OLD, new, one)) == []


@pytest.mark.parametrize(
    ("file", "was", "becomes", "said"),
    [
        ("records/story.schema.json", '"revision": {', '"version": {', "/revision: the field is gone"),
        ("topics/news.stories.yaml", "partition_by: edition", "partition_by: key", "partition_by changed"),
        ("topics/news.stories.yaml", "changed.v1", "changed.v2", "event_type changed"),
    ],
)
def test_a_real_contract_cannot_be_broken_unseen(tmp_path, file, was, becomes, said):
    for name in ("records", "topics"):
        shutil.copytree(PUBLISHED / name, tmp_path / name)
    text = (tmp_path / file).read_text(encoding="utf-8")
    assert was in text
    (tmp_path / file).write_text(text.replace(was, becomes), encoding="utf-8")
    assert any(said in broken for broken in all_broken_promises(PUBLISHED, tmp_path))
    (tmp_path / file).unlink()
    assert any("is gone" in broken for broken in all_broken_promises(PUBLISHED, tmp_path))
