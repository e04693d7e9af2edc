"""What a story is about as a whole: the sum of its exemplars' profiles, a profile itself.

Articles join by what single articles say; stories are linked by their centres, in which what most articles
share outweighs what one of them mentions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.clusterer.profile import DATES, TITLE, Profile
from services.clusterer.vectors import unit

MOST = (160, 40, 24, 24, 16)
"""How many ids a centre keeps of each section: the heaviest."""


def centre_of(profiles: Sequence[Profile]) -> Profile:
    """Return the centre of one or more profiles."""
    if len(profiles) == 1:
        return profiles[0]
    sections = []
    for section, most in enumerate(MOST):
        places = [slice(p.offsets[section], p.offsets[section + 1]) for p in profiles]
        every = np.concatenate([p.ids[place] for p, place in zip(profiles, places, strict=True)])
        weights = np.concatenate([p.weights[place] for p, place in zip(profiles, places, strict=True)])
        ids, where = np.unique(every, return_inverse=True)
        sums = np.bincount(where, weights, len(ids)).astype(np.float32)
        if len(ids) > most:
            kept = np.sort(np.argsort(-sums, kind="stable")[:most])
            ids, sums = ids[kept], sums[kept]
        sections.append((ids, sums if section in (TITLE, DATES) else unit(sums)))
    return Profile(
        np.concatenate([ids for ids, _ in sections]),
        np.concatenate([sums for _, sums in sections]),
        np.cumsum([0, *(len(ids) for ids, _ in sections)], dtype=np.int32),
    )
