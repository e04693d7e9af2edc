"""Formats that nest what we read flat: ninjs 2 and 3, fundus, RSS and Atom as feedparser gives them."""

from __future__ import annotations

from typing import Any

from services.runtime.records import Record

NINJS_LISTS = {"headlines": "title", "bodies": "text", "descriptions": "summary"}
"""ninjs 2 and 3 (IPTC): lists of {role, value}; the one of role `main` counts, else the first."""
TEXT_NAMES = ("text", "maintext", "body", "content", "body_text", "body_html", "plaintext", "content:encoded")


def flat(raw: Record) -> Record:
    """Return the record with nested texts, titles and addresses under our own names.

    What is already there under our name stays. A record that nests nothing is returned as it is.
    """
    found: Record = {}
    for name, field in NINJS_LISTS.items():
        if (value := _of_roles(raw.get(name))) is not None:
            found[field] = value
    if (text := _of_roles(raw.get("content"))) is not None:  # feedparser: a list of {type, value}
        found["text"] = text
    if (text := _of_sections(raw.get("body"))) is not None:
        found["text"] = text
    html = raw.get("html")
    if isinstance(html, dict):  # fundus
        found["url"] = html.get("requested_url") or html.get("responded_url")
    item = raw.get("description")
    if "link" in raw and not found and isinstance(item, str) and all(raw.get(n) is None for n in TEXT_NAMES):
        rest = {name: value for name, value in raw.items() if name != "description"}
        return {**rest, "text": item}  # an RSS item is no more than that
    found = {field: value for field, value in found.items() if value is not None and raw.get(field) is None}
    return raw | found if found else raw


def _of_roles(values: Any) -> Any:
    """Return the `value` of the main one of a list of objects; None for anything else."""
    if isinstance(values, dict):
        values = [values]
    if not isinstance(values, list) or not values or not all(isinstance(one, dict) for one in values):
        return None
    main = next((one for one in values if one.get("role") == "main"), values[0])
    return main.get("value")


def _of_sections(body: Any) -> str | None:
    """Return the paragraphs of fundus' body: {summary: [], sections: [{headline: [], paragraphs: []}]}."""
    if not isinstance(body, dict) or not isinstance(body.get("sections"), list):
        return None
    lines: list[Any] = []
    for section in body["sections"]:
        if isinstance(section, dict):
            for part in (section.get("headline"), section.get("paragraphs")):
                lines += part if isinstance(part, list) else []
    return "\n".join(line for line in lines if isinstance(line, str))
