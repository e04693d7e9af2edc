"""What a published record entails for other stories.

The far ends of its links, a merge or a split, stories that have expired. All follows from the records alone:
so a decision that a crash cut short can be completed from what was published of it.
"""

from __future__ import annotations

from typing import cast

from services.clusterer import restructure
from services.clusterer import story as revisions
from services.clusterer.clock import shifted
from services.clusterer.memory import Memory
from services.clusterer.parameters import Parameters
from services.clusterer.state import Clock, StoryState
from services.clusterer.vectors import Vectorizer
from services.runtime.records import Record, RelatedStory, StoryRecord


def _source_of(reason: Record) -> str:
    """Return the story whose links made another one's change."""
    story_id: str = reason.get("linked_from") or reason["unlinked_from"]
    return story_id


class Consequences:
    """Looks at an edition's memory and never touches it."""

    def __init__(self, memory: Memory, parameters: Parameters, vectorizer: Vectorizer) -> None:
        self._memory = memory
        self._parameters = parameters
        self._vectorizer = vectorizer

    def of(self, last: StoryRecord) -> list[StoryRecord]:
        """Return the records that follow from `last`, the newest record, given everything before it.

        In this order: far ends of links, new and ended ones, a merge or a split, stories that have expired.
        `last` may itself be any of these; then what it follows from has been applied, and what comes after
        it is returned.
        """
        latest = cast(StoryState, last)
        view = {latest["story_id"]: latest}
        records: list[StoryState] = []
        reason = latest["change"]["reason"]
        kind = latest["change"]["type"]
        most = self._parameters.closes_per_decision
        if kind == "closed":
            most = reason["more"]
        elif kind == "merged":
            self._publish(view, records, self._redirect(latest))
        elif kind == "split":
            self._publish(view, records, self._rest(latest))
        else:
            source = self._record(_source_of(reason), view) if kind == "related" else latest
            if source:
                for record in (*self._back_links(source, view), *self._unlinked(source, view)):
                    self._publish(view, records, record)
                self._reshape(source, view, records)
        records.extend(self._expired(latest["clock"], view, most))
        return list(records)

    @staticmethod
    def _publish(view: dict[str, StoryState], records: list[StoryState], record: StoryState | None) -> None:
        if record:
            view[record["story_id"]] = record
            records.append(record)

    def _reshape(self, source: StoryState, view: dict[str, StoryState], records: list[StoryState]) -> None:
        """Carry out the merge or split that the reason of `source` plans."""
        reason, article_id = source["change"]["reason"], source["change"]["article_id"]
        if "merge_with" in reason and article_id:
            other = self._record(reason["merge_with"], view)
            if other is None:
                return
            pair = (source, other) if restructure.stays(source, other) else (other, source)
            why: Record = {"probability": reason["merge_probability"]}
            stays = restructure.merged(*pair, source["clock"], article_id, why)
            self._publish(view, records, stays)
            self._publish(view, records, restructure.redirect(pair[1], stays))
        elif "split_off" in reason:
            why = {"probability": reason["split_probability"]}
            new = restructure.split_off(source, reason["split_off"], source["clock"], why, self._vectorizer)
            self._publish(view, records, new)
            self._publish(view, records, restructure.without(source, new))

    def _redirect(self, stays: StoryState) -> StoryState | None:
        """Return the second half of a merge, None if `stays` is that already or it is in place."""
        goes = self._memory.story(stays["change"]["reason"]["merged_with"])
        if stays["state"] == "merged" or goes is None or goes.merged_into:
            return None
        return restructure.redirect(goes.record, stays)

    def _rest(self, new: StoryState) -> StoryState | None:
        """Return the second half of a split, None if `new` is that already."""
        origin = self._memory.story(new["change"]["reason"].get("split_from", ""))
        return restructure.without(origin.record, new) if origin else None

    def _back_links(self, source: StoryState, view: dict[str, StoryState]) -> list[StoryState]:
        """Return the records of the stories that `source` links to and that do not link back yet."""
        records: list[StoryState] = []
        done = set(view)
        for link in source["related"]:
            other = self._memory.current(link["story_id"])
            if other is None or other.story_id in done or source["story_id"] in other.links:
                continue
            done.add(other.story_id)
            back: RelatedStory = {
                "story_id": source["story_id"],
                "score": link["score"],
                "reasons": link["reasons"],
            }
            reason = {"linked_from": source["story_id"], "score": link["score"], **link["reasons"]}
            record = other.record
            new = revisions.revised(
                record,
                source["clock"],
                revisions.change("related", source["change"]["article_id"], reason),
                related=[*record["related"], back],
            )
            records.append(new)
        return records

    def _unlinked(self, source: StoryState, view: dict[str, StoryState]) -> list[StoryState]:
        """Return the records of the stories that `source` is linked to no more and that still link to it."""
        records: list[StoryState] = []
        done = set(view)
        for story_id in source["change"]["reason"].get("unlinked", []):
            other = self._memory.current(story_id)
            if other is None or other.story_id in done:
                continue
            done.add(other.story_id)
            record = other.record
            left = [link for link in record["related"] if not self._leads_to(link, source["story_id"])]
            if len(left) < len(record["related"]):
                what = revisions.change(
                    "related", source["change"]["article_id"], {"unlinked_from": source["story_id"]}
                )
                records.append(revisions.revised(record, source["clock"], what, related=left))
        return records

    def _leads_to(self, link: RelatedStory, story_id: str) -> bool:
        end = self._memory.current(link["story_id"])
        return end is not None and end.story_id == story_id

    def _expired(self, clock: Clock, view: dict[str, StoryState], most: int) -> list[StoryState]:
        """Return the `closed` records of up to `most` stories that have been idle for too long."""
        hours = self._parameters.close_after_hours
        before = shifted(clock["now"], -hours)
        due = [age for age in self._memory.idle(before) if age[1] not in view]
        due += [
            (record["last_received_at"], story_id)
            for story_id, record in view.items()
            if record["state"] == "open" and record["last_received_at"] < before
        ]
        due = sorted(due)[:most]
        records = []
        for i, (_, story_id) in enumerate(due):
            record = self._record(story_id, view)
            if record is None:
                raise LookupError(f"open story {story_id} is not in memory")
            reason = {"idle_hours": hours, "clock": clock["now"], "more": len(due) - 1 - i}
            records.append(
                revisions.revised(record, clock, revisions.change("closed", None, reason), state="closed")
            )
        return records

    def _record(self, story_id: str, view: dict[str, StoryState]) -> StoryState | None:
        if story_id in view:
            return view[story_id]
        known = self._memory.story(story_id)
        return known.record if known else None
