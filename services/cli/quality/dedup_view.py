"""`machtin quality dedup`: what is measured, as tables and lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from services.cli.quality.dedup import (
    MOSTLY_NEW,
    OWN,
    SAME_CONTAINMENT,
    SAME_JACCARD,
    Base,
    Chain,
    Original,
    data_articles,
    measure,
    measure_bulletins,
    own_articles,
    pairs,
    replayed,
    take_in,
)
from services.cli.quality.distinct import DISTINCT_VARIANTS
from services.cli.quality.peers import Peer, available
from services.cli.quality.variants import VARIANTS
from services.runtime.records import Similarity

LISTED = 60
"""Claims and misses printed at most, of each kind."""


def peers_of(base: Base) -> dict[str, Peer]:
    """Return every peer with the untouched articles taken in; print how many of them it calls copies."""
    peers: dict[str, Peer] = {}
    for name, make in available().items():
        peer = make()
        called = 0
        for key, article in base.clean.items():
            called += bool(peer.find(article["text"]))
            peer.add(key, article["text"])
        peers[name] = peer
        _say(f"- {name}: {_share(called, len(base.clean))} untouched articles called copies")
    if not any("datasketch" in name for name in peers):
        _say("- datasketch is not installed: `pip install machtin[bench]` puts MinHash LSH into the tables")
    return peers


def _some(keys: Sequence[str]) -> Sequence[str]:
    """Return the first fifth of the articles, but not fewer than a hundred."""
    return keys[: max(100, len(keys) // 5)]


def _say(text: str = "") -> None:
    print(text, flush=True)  # noqa: T201


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole} ({100 * part / max(1, whole):.2f} %)"


def _print_claims(base: Base) -> None:
    claims = base.claims
    _say(f"- ours: {_share(len(claims), len(base.verdicts))} untouched articles called copies:\n")
    for key in claims[:LISTED]:
        verdict = base.verdicts[key]
        of, similarity = cast(str, verdict["of"]), cast(Similarity, verdict["similarity"])
        titles = f"{base.clean[key]['title'][:60]} ← {base.clean[of]['title'][:60]}"
        _say(
            f"  - {key} of {of}, Jaccard {similarity['jaccard']:.2f}, containment"
            f" {similarity['containment']:.2f}: {titles}"
        )


def _print_series(base: Base) -> None:
    issues = {key: said["series"] for key, said in base.verdicts.items() if said["series"] is not None}
    _say(f"- ours: {_share(len(issues), len(base.verdicts))} untouched articles called bulletins:\n")
    for key, series in list(issues.items())[:LISTED]:
        _say(f"  - {key} of {series}: {base.clean[key]['title'][:100]}")
    _say()


def _print_edits(base: Base, keys: Sequence[str], news: Sequence[str], peers: dict[str, Peer]) -> None:
    some = _some(keys)
    _say(
        f"\nShare of {len(keys)} edited articles (of peers and variants: {len(some)}) that are called copies"
        " of the one they were made from:\n"
    )
    _say(f"| transformation | ours | {' | '.join(peers)} |")
    _say("|---" * (2 + len(peers)) + "|")
    for group, variants in VARIANTS.items():
        edit = variants["as the edit"]
        ours = measure(base, edit, group, keys, news, {})
        beside = measure(base, edit, group, some, news, peers)
        others = " | ".join(f"{found / max(1, beside.tried):.3f}" for found in beside.by_peer.values())
        _say(f"| {group} | {ours.recall:.4f} | {others} |")
    _say("\nEvery variant; the last column counts those called copies of another article:\n")
    _say("| transformation | variant | recall | of another |\n|---|---|---:|---:|")
    for group, variants in VARIANTS.items():
        for name, edit in variants.items():
            o = measure(base, edit, f"{group}/{name}", some, news, {})
            _say(f"| {group} | {name} | {o.recall:.4f} | {o.others} |")


def _print_distinct(base: Base, keys: Sequence[str], news: Sequence[str], peers: dict[str, Peer]) -> None:
    _say("\nArticles that share text with another one and are no copies of it: share called copies.\n")
    _say(f"| kind | variant | ours | ours names the other one | {' | '.join(peers)} |")
    _say("|---" * (4 + len(peers)) + "|")
    for group, variants in DISTINCT_VARIANTS.items():
        for name, edit in variants.items():
            o = measure(base, edit, f"{group}/{name}", _some(keys), news, peers)
            others = " | ".join(f"{found / max(1, o.tried):.3f}" for found in o.by_peer.values())
            _say(f"| {group} | {name} | {o.called:.4f} | {o.named / max(1, o.tried):.3f} | {others} |")


def _print_pairs(base: Base, path: Path) -> None:
    found = list(pairs(base, path))
    kinds = ("copy", "copy of another", "next issue", "update", "missed")
    said = {kind: [pair for pair in found if pair.verdict == kind] for kind in kinds}
    copies = len(said["copy"]) + len(said["copy of another"])
    _say(
        f"\n{path.name}: {len(found)} pairs with Jaccard ≥ {SAME_JACCARD} or containment ≥"
        f" {SAME_CONTAINMENT}: {copies} called copies ({len(said['copy of another'])} of another article),"
        f" {len(said['missed'])} missed (recall {copies / max(1, copies + len(said['missed'])):.3f});"
        f" excluded: {len(said['next issue'])} next issues of a bulletin, {len(said['update'])} whose later"
        f" text is by more than {MOSTLY_NEW:.0%} new.\n"
    )
    for kind in kinds[1:]:
        for p in said[kind][:LISTED]:
            _say(
                f"  - {kind}: {p.later} after {p.earlier}, Jaccard {p.jaccard:.2f}, containment"
                f" {p.containment:.2f}, new {p.new:.2f}: {base.clean[p.later]['title'][:60]}"
            )


def _print_bulletins() -> None:
    result = measure_bulletins(Chain())
    ids = {name: len(found) for name, found in result.series.items()}
    _say(
        f"\nBulletins of our own: {result.issues} issues of {len(ids)} series,"
        f" {len(result.called_copies)} called copies {result.called_copies or ''}\n"
        f"Later issues without a series id: {result.without_series}\n"
        f"Ids given to each series: {', '.join(f'{name} {number}' for name, number in ids.items())}\n"
        f"Reposts of an issue called copies of that issue: {result.reposts_found} of {result.reposts}"
    )


def _print_corpus(
    name: str, articles: list[Original], news: list[str], amount: int, computed: Path | None = None
) -> None:
    _say(f"\n## {name}\n")
    base = take_in(articles)
    _print_claims(base)
    if computed is not None:
        _print_pairs(base, computed)
    _say()
    _print_series(base)
    peers = peers_of(base)
    keys = base.originals[:amount]
    _print_edits(base, keys, news, peers)
    _print_distinct(base, keys, news, peers)
    mixed, claims = replayed(articles[:amount], news)
    _say(
        "\nAll in one stream, each article followed by one copy in a random variant, all remembered, half of"
        f" the copies without a date: {mixed.recall:.4f} of {mixed.tried} copies found under their original,"
        f" {mixed.others} under an article that is no original; {claims} untouched articles called copies."
    )


def run(data: Path | None, amount: int) -> None:
    """Print how well copies are found. Raises OSError where a file of `data` is missing."""
    _print_bulletins()
    if data is None:
        demo, gold = own_articles(OWN[:1]), own_articles(OWN[1:])
        kept = [article for number, article in enumerate(gold) if number % 5]
        _print_corpus("Our own corpora", demo + kept, [article.text.body for article in gold[::5]], amount)
        return
    stream, vims = data_articles(data, "stream2017"), data_articles(data, "vims")
    for name, articles, others in (("stream2017", stream, vims), ("vims", vims, stream)):
        news = [other.text.body.replace("_", " ") for other in others]
        _print_corpus(name, articles, news, amount, data / f"{name}_nearcopies.tsv")
