"""Just enough of PromQL to look into a query: the selectors in it, and the ranges of its functions."""

import re
from dataclasses import dataclass

_SELECTOR = re.compile(
    r"(?<![\w:$.])(?P<name>[a-zA-Z_:][\w:]*)(?:\{(?P<matchers>(?:[^{}\"]|\"(?:\\.|[^\"\\])*\")*)\})?"
    r"(?:\[(?P<range>[^\]]+)\])?"
)
_STRING = re.compile(r"\"(?:\\.|[^\"\\])*\"")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_WORDS = {"and", "or", "unless", "offset", "bool", "inf", "nan"}


@dataclass(frozen=True)
class Selector:
    """A metric in a query, with its matchers, its range and the function right around it."""

    name: str
    matchers: str
    range: str | None
    function: str | None

    @property
    def expr(self) -> str:
        return f"{self.name}{{{self.matchers}}}"


def selectors(expr: str) -> list[Selector]:
    """Return the selectors of a query in their order."""
    query = _GROUPING.sub(" ", expr)
    found = []
    for match in _SELECTOR.finditer(query):
        name, after = match["name"], query[match.end() :].lstrip()
        inside_string = any(s.start() < match.start() < s.end() for s in _STRING.finditer(query))
        if inside_string or name.lower() in _WORDS or (match["matchers"] is None and after.startswith("(")):
            continue
        if match["matchers"] is None and re.fullmatch(r"[smhdwy]", name):
            continue
        around = re.search(r"(\w+)\s*\(\s*$", query[: match.start()])
        found.append(Selector(name, match["matchers"] or "", match["range"], around[1] if around else None))
    return found
