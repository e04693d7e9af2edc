"""Fixtures of the contract tests."""

import jsonschema
import pytest
from contract_files import load_schemas
from referencing import Registry, Resource

from services.runtime.topics import all_topics


@pytest.fixture(scope="session")
def validators():
    """A validator for each schema, by its name; references between them are resolved, none is fetched."""
    schemas = load_schemas()
    registry = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas.values()
    )
    return {
        name: jsonschema.Draft202012Validator(schema, registry=registry) for name, schema in schemas.items()
    }


@pytest.fixture(scope="session")
def validator_of(validators):
    """A function from a topic's name to the validator of its records."""
    return lambda topic_name: validators[all_topics()[topic_name].schema]
