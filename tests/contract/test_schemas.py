"""The JSON Schemas are sound, and say the same as the typed dictionaries that the code is checked with."""

import types
import typing
from typing import Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import jsonschema
import pytest
from contract_files import load_schemas

from services.clusterer.state import StoryState
from services.runtime.records import CleanArticle, DeduplicatedArticle, EnrichedArticle
from services.runtime.topics import all_topics

SCHEMAS = load_schemas()
BASE = "https://machtin.example/schemas/v1/"
TYPES = {
    "clean-article": CleanArticle,
    "deduplicated-article": DeduplicatedArticle,
    "enriched-article": EnrichedArticle,
    "story": StoryState,
}
PRIMITIVES = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}

# What draft-07 and 2020-12 understand alike, so that AsyncAPI tools (draft-07) read the same contract. A
# misspelled keyword would silently check nothing: that is why the list is closed.
KEYWORDS = {
    *("$schema", "$id", "$ref", "title", "description", "type", "enum", "const", "required", "properties"),
    *("additionalProperties", "items", "allOf", "anyOf", "if", "then", "else"),
    *("minimum", "maximum", "minLength", "pattern"),
}


def test_every_schema_is_the_schema_of_a_topic():
    assert set(SCHEMAS) == {topic.schema for topic in all_topics().values()} - {None}


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_valid_json_schema_2020_12(name):
    schema = SCHEMAS[name]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"{BASE}{name}.schema.json"
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_uses_only_keywords_that_every_reader_understands(name):
    for where, schema in subschemas(SCHEMAS[name], name):
        assert set(schema) <= KEYWORDS, where
        if "$ref" in schema:
            assert set(schema) == {"$ref"}, f"{where}: draft-07 ignores what stands beside $ref"


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_field_is_described(name):
    for field, schema in SCHEMAS[name]["properties"].items():
        described = [part for _, part in subschemas(schema, field)]
        assert any({"description", "enum"} & set(part) for part in described), field


@pytest.mark.parametrize("name", TYPES)
def test_it_says_the_same_as_the_typed_dictionary(name):
    assert list(disagreements(TYPES[name], resolved(SCHEMAS[name]), name)) == []


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, {"type": "integer"}),
        (str | None, {"type": "string"}),
        (str, {"type": ["string", "null"]}),
        (Literal["a", "b"], {"enum": ["a"]}),
        (list[str], {"type": "array", "items": {"type": "number"}}),
        (
            typing.TypedDict("T", {"a": str}),
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": []},
        ),
        (
            typing.TypedDict("T", {"a": str}),
            {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["a"]},
        ),
    ],
)
def test_the_comparison_would_notice_a_difference(hint, schema):
    assert list(disagreements(hint, schema, "x"))


def subschemas(schema, where):
    """Yield every schema within `schema`, itself first, with its path."""
    yield where, schema
    for keyword in ("items", "additionalProperties", "if", "then", "else"):
        if isinstance(schema.get(keyword), dict):
            yield from subschemas(schema[keyword], f"{where}/{keyword}")
    for keyword in ("allOf", "anyOf"):
        for number, part in enumerate(schema.get(keyword, [])):
            yield from subschemas(part, f"{where}/{keyword}/{number}")
    for field, part in schema.get("properties", {}).items():
        yield from subschemas(part, f"{where}/{field}")


def resolved(schema):
    """Return the schema with the properties and required fields of what it includes by allOf and $ref."""
    properties, required = {}, []
    for part in schema.get("allOf", []):
        included = resolved(SCHEMAS[part["$ref"].removesuffix(".schema.json")])
        properties |= included["properties"]
        required += included["required"]
    return {
        "type": "object",
        "properties": properties | schema["properties"],
        "required": required + schema["required"],
    }


def disagreements(hint, schema, where):
    """Yield a sentence for each place where a type and a schema differ."""
    options = alternatives(schema)
    if hint is str and set(options) == {"enum"}:
        return  # the schema may say more exactly than the type which strings there are
    expected = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    kinds = {kind_of(arm) for arm in expected}
    if kinds != set(options):
        yield f"{where}: the type says {sorted(kinds)}, the schema {sorted(options)}"
        return
    for arm in expected:
        yield from _inner_disagreements(arm, options[kind_of(arm)], where)


def _inner_disagreements(arm, schema, where):
    if get_origin(arm) is Literal:
        if set(get_args(arm)) != set(schema["enum"]):
            yield f"{where}: the type allows {get_args(arm)}, the schema {schema['enum']}"
    elif get_origin(arm) is list:
        yield from disagreements(get_args(arm)[0], schema["items"], f"{where}[]")
    elif is_typeddict(arm):
        hints = get_type_hints(arm)
        if set(hints) != set(schema["properties"]):
            yield f"{where}: only one of the two has {sorted(set(hints) ^ set(schema['properties']))}"
        if required_of(arm) != set(schema["required"]):
            yield f"{where}: only one requires {sorted(required_of(arm) ^ set(schema['required']))}"
        for field in set(hints) & set(schema["properties"]):
            yield from disagreements(hints[field], schema["properties"][field], f"{where}.{field}")


def required_of(typed_dict):
    """Return the fields that are not NotRequired; `__required_keys__` is wrong where hints are strings."""
    hints = get_type_hints(typed_dict, include_extras=True)
    return {field for field, hint in hints.items() if get_origin(hint) is not typing.NotRequired}


def kind_of(hint):
    """Return the JSON type that a type hint stands for, or `enum`."""
    if hint in PRIMITIVES:
        return PRIMITIVES[hint]
    if get_origin(hint) is Literal:
        return "enum"
    return "array" if get_origin(hint) is list else "object"


def alternatives(schema):
    """Return the schema's arms by JSON type: those of anyOf, or of a list of types, or itself."""
    if "anyOf" in schema:
        return {kind: arm for part in schema["anyOf"] for kind, arm in alternatives(part).items()}
    if "enum" in schema:
        return {"enum": schema}
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return dict.fromkeys(kinds, schema)
