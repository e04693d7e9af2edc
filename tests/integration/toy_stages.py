"""Stages whose right output is plain to see: what the tests of the stream run as real processes."""

from datetime import datetime

from services.runtime.errors import InvalidMessage, Reason
from services.runtime.records import Record
from services.runtime.stage import StatefulStage, StatelessStage, Transform
from services.runtime.topics import CLEAN, DEDUPLICATED, RAW


class Numbering:
    """Gives every new article the next number of its edition: a gap, a double or a swap shows at once."""

    def __init__(self) -> None:
        self._numbers: dict[str, dict[str, int]] = {}

    def decide(self, record: Record) -> list[Record]:
        known = self._numbers.get(record["edition"], {})
        return [] if record["article_id"] in known else [{**record, "number": len(known) + 1}]

    def apply(self, record: Record) -> None:
        self._numbers.setdefault(record["edition"], {})[record["article_id"]] = record["number"]

    def repair(self) -> list[Record]:
        return []


def _load() -> Transform:
    def transform(record: Record, arrived_at: datetime) -> list[Record]:
        if "bug" in record:
            raise KeyError("a bug of ours")
        if "article_id" not in record:
            raise InvalidMessage(Reason.NO_IDENTITY, "there is no id")
        return [record]

    return transform


STATEFUL = StatefulStage("toy-stateful", CLEAN, DEDUPLICATED, lambda: None, Numbering)
STATELESS = StatelessStage("toy-stateless", RAW, CLEAN, _load)
