"""What hypothesis makes of a raw message: JSON of the right shape with any values, and any bytes."""

import json

from hypothesis import strategies as st

from tests.fuzz.inputs import FIELDS, ODD_DATES, ODD_STRINGS

# Lone surrogates too: in JSON they are escapes that every parser meets.
TEXTS = st.text(st.characters(), max_size=60) | st.sampled_from(ODD_STRINGS)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.sampled_from(ODD_DATES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
IDENTIFIED = st.fixed_dictionaries(
    {"article_id": TEXTS, "text": st.text(min_size=1, max_size=400) | TEXTS},
    optional={name: VALUES for name in FIELDS if name not in ("article_id", "text")},
)
ANY = st.dictionaries(st.sampled_from(FIELDS) | TEXTS, VALUES, max_size=8)

MESSAGES = st.one_of(
    st.binary(max_size=80),
    (IDENTIFIED | ANY | VALUES).map(lambda value: json.dumps(value).encode()),
)
