"""The page of one story: its articles along time, why each is here, who is named, what was said, its saga."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from services.board.latest import BoardStory
from services.board.layout import chips, count, moment, page, story_link
from services.runtime.records import Change, Record
from services.runtime.times import seconds_of

WIDTH, HEIGHT, RADIUS = 1000, 26, 5
"""Of the timeline, in its own units: it is as wide as the page."""


def story_page(story: BoardStory, title_of: Callable[[str], str]) -> str:
    """Return the HTML of a story; `title_of` says what to call another story, by its id."""
    record: Record = {**story.record}
    facts = [
        count(record["article_count"], "article"),
        count(record["reprint_count"], "reprint"),
        count(record["source_count"], "source"),
        f"{record['velocity']['1h']} in the last hour, {record['velocity']['6h']} in the last six",
        record["state"],
        f"revision {record['revision']}",
        record["story_id"],
    ]
    parts = [
        f'<header><a href="/">Mạch Tin</a></header>\n<h1>{escape(record["title"])}</h1>',
        f'<p class="soft">{escape(" · ".join(facts))}</p>',
        _articles(record, story.changes),
        _section("Named", chips(record["entities"], counted=True)),
        _section("Said", "".join(map(_quote, record["quotes"]))),
        _section("Same saga", "".join(_link(link, title_of) for link in record["related"])),
        _section("What happened", _history(story.changes)),
    ]
    return page(record["title"], "\n".join(parts))


def evidence(reason: Record) -> str:
    """Return the evidence of a change or a link in words, as HTML."""
    said = []
    if "closest_story" in reason:
        said.append(f"opened the story; the closest other one was {escape(str(reason['closest_story']))}")
    if "duplicate" in reason:
        said.append(
            f"{escape(str(reason['duplicate']))} copy of {escape(str(reason.get('matched_article')))}"
        )
    elif "matched_article" in reason:
        said.append(f"closest to {escape(str(reason['matched_article']))}")
    if "probability" in reason and "duplicate" not in reason:
        threshold = f" (needed {reason['threshold']})" if "threshold" in reason else ""
        said.append(f"probability {reason['probability']}{threshold}")
    if "score" in reason and "probability" not in reason:
        said.append(f"score {reason['score']}")
    for name, label in (("entities", "both name"), ("terms", "both say"), ("quotes", "both quote")):
        if reason.get(name):
            said.append(f"{label} {escape(', '.join(map(str, reason[name])))}")
    return "; ".join(said)


def _section(title: str, body: str) -> str:
    return f"<h3>{title}</h3>\n{body}" if body else ""


def _articles(record: Record, changes: Sequence[tuple[int, Change]]) -> str:
    titles = {one["article_id"]: one["title"] for one in record["exemplars"]}
    why = {change["article_id"]: change["reason"] for _, change in changes if change["article_id"]}
    ordered = sorted(
        record["members"], key=lambda m: (m["published_at"] or m["received_at"], m["article_id"])
    )
    rows = "".join(
        f'<tr><td class="time">{moment(m["published_at"])}</td><td>{escape(m["source"])}</td>'
        f"<td>{escape(titles.get(m['article_id']) or titles.get(m['copy_of']) or m['article_id'])}"
        f'<br><span class="soft">{evidence(why.get(m["article_id"], {}))}</span></td></tr>'
        for m in ordered
    )
    table = (
        f"<table><tr><th>published</th><th>source</th><th>article, and why it is here</th></tr>{rows}</table>"
    )
    return _section("Articles", f"{timeline(ordered)}\n{table}") if rows else ""


def timeline(members: Sequence[Record]) -> str:
    """Return an SVG of the articles along time: originals in colour, copies grey."""
    times = [seconds_of(m["published_at"] or m["received_at"]) for m in members]
    start, span = min(times), max(max(times) - min(times), 1)
    marks = "".join(
        f'<circle cx="{RADIUS + (WIDTH - 2 * RADIUS) * (at - start) / span:.1f}" cy="{HEIGHT / 2:.0f}"'
        f' r="{RADIUS}"{" class=copy" if m["copy_of"] else ""}><title>{moment(m["published_at"])}'
        f" {escape(m['source'])}</title></circle>"
        for m, at in zip(members, times, strict=True)
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="articles along time">'
        f'<line x1="0" x2="{WIDTH}" y1="{HEIGHT / 2:.0f}" y2="{HEIGHT / 2:.0f}"/>{marks}</svg>'
    )


def _quote(quote: Record) -> str:
    speaker = f' <span class="soft">{escape(quote["speaker"])}</span>' if quote["speaker"] else ""
    return f"<blockquote>{escape(quote['text'])}{speaker}</blockquote>"


def _link(link: Record, title_of: Callable[[str], str]) -> str:
    title = story_link(link["story_id"], title_of(link["story_id"]))
    return (
        f'<p>{title}<br><span class="soft">{evidence({"score": link["score"], **link["reasons"]})}</span></p>'
    )


def _history(changes: Sequence[tuple[int, Change]]) -> str:
    rows = "".join(
        f'<tr><td class="time">{revision}</td><td>{escape(change["type"].replace("_", " "))}</td>'
        f"<td>{escape(change['article_id'] or '')}<br>"
        f'<span class="soft">{evidence(change["reason"])}</span></td></tr>'
        for revision, change in reversed(changes)
    )
    return (
        f"<table><tr><th>revision</th><th>change</th><th>article and evidence</th></tr>{rows}</table>"
        if rows
        else ""
    )
