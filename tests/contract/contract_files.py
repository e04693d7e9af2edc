"""The schemas and examples as the contract tests read them."""

import json
from pathlib import Path

from services.runtime.topics import SCHEMAS

ROOT = Path(__file__).resolve().parents[2]


def load_schemas():
    """Return every JSON Schema in schemas/records by its name."""
    return {
        path.name.removesuffix(".schema.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(SCHEMAS.joinpath("records").glob("*.schema.json"))
    }


def load_examples(topic_name: str) -> dict[str, dict]:
    """Return the examples of a topic by file name without suffix, in the order of the names."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(SCHEMAS.joinpath("examples", topic_name).glob("*.json"))
    }
