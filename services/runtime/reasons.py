"""Why a story changed, in words: the reason of a change or of a link as an editor would put it."""

from __future__ import annotations

from services.runtime.records import ChangeType, Record

_EVIDENCE = (("entities", "both name"), ("terms", "both say"), ("quotes", "both quote"))


def in_words(kind: ChangeType, reason: Record) -> list[str]:
    """Return what happened and on what evidence, a phrase each, in the order of importance."""
    said = [*_event(kind, reason), *_match(reason), *_odds(kind, reason)]
    said += [f"{label} {_listed(name, reason[name])}" for name, label in _EVIDENCE if reason.get(name)]
    if "unlinked" in reason:
        said.append(f"ends the links to {', '.join(reason['unlinked'])}")
    if "merge_with" in reason:
        said.append(f"shows that {reason['merge_with']} is the same story")
    if "split_off" in reason:
        said.append(f"shows that {', '.join(reason['split_off'])} are another story")
    return said


def _event(kind: ChangeType, reason: Record) -> list[str]:
    if "split_from" in reason:
        return [f"split off {reason['split_from']}"]
    if "split_into" in reason:
        return [f"its articles about another event went to {reason['split_into']}"]
    if "merged_with" in reason:
        return [f"became one with {reason['merged_with']}"]
    if kind == "created":
        return [f"an issue of {reason['series']}" if "series" in reason else "opened the story"]
    if kind == "article_retracted":
        return ["the article was withdrawn"]
    if kind == "closed":
        return [f"nothing came for {reason.get('idle_hours', 0):.0f} hours"]
    if "linked_from" in reason:
        return [f"{reason['linked_from']} was linked to it"]
    if "unlinked_from" in reason:
        return [f"{reason['unlinked_from']} grew, and is no longer linked to it"]
    return [f"version {reason['version']} of the article"] if "version" in reason else []


def _match(reason: Record) -> list[str]:
    if "series" in reason and "matched_article" in reason:
        return [f"like {reason['matched_article']} but for the figures"]
    if "duplicate" in reason:
        return [f"{reason['duplicate']} copy of {reason.get('matched_article')}"]
    if "matched_article" in reason:
        return [f"closest to {reason['matched_article']}"]
    return [f"the closest other one was {reason['closest_story']}"] if "closest_story" in reason else []


def _odds(kind: ChangeType, reason: Record) -> list[str]:
    if "duplicate" in reason:
        return []  # a copy belongs where its original is: nothing was weighed
    said = []
    needed = f" (needed {reason['threshold']:.2f})" if "threshold" in reason else ""
    if "probability" in reason:
        both = " that both are one" if kind in ("merged", "split") else ""
        said.append(f"probability{both} {reason['probability']:.2f}{needed}")
        if "score" in reason:
            said.append(f"text similarity {reason['score']:.2f}")
    elif "score" in reason:
        said.append(f"probability of one saga {reason['score']:.2f}{needed}")
    return said


def _listed(name: str, values: list[str]) -> str:
    return ", ".join(f"“{value}”" if name == "quotes" else value for value in values)
