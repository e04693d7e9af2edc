"""Is this a Vietnamese syllable? By the shape of its letters: initial, vowels, final.

The test is generous with rare combinations and blind to meaning: `Kim` and `Park` differ, `Linda` and
`Minh` differ, `Lee` is foreign and `Le` may be either.
"""

from __future__ import annotations

import re
from functools import lru_cache

from services.runtime.text import fold

_FOLDED = re.compile(
    r"(?:b|ch|c|d|gh|gi|g|h|kh|k|l|m|ngh|ng|nh|n|ph|p|qu|r|s|th|tr|t|v|x)?"
    r"(?:a|ai|ao|au|ay|e|eo|eu|i|ia|ie|ieu|iu|o|oa|oai|oao|oay|oe|oeo|oi|oo|u|ua|uay|ue|ui|uo|uoi|uou|uu|uy"
    r"|uya|uye|uyu|y|ya|ye|yeu)"
    r"(?:ch|c|m|ng|nh|n|p|t)?"
)
_FOREIGN_LETTER = re.compile("[fjwz]")
_LETTERS = frozenset(
    "abcdeghiklmnopqrstuvxyđáàảãạăắằẳẵặâấầẩẫậéèẻẽẹêếềểễệíìỉĩịóòỏõọôốồổỗộơớờởỡợúùủũụưứừửữựýỳỷỹỵ"
)


def is_vietnamese(syllable: str) -> bool:
    """Return whether an accented word can be a Vietnamese syllable."""
    lower = syllable.casefold()
    return _LETTERS.issuperset(lower) and is_vietnamese_folded(fold(lower))


@lru_cache(maxsize=32768)
def is_vietnamese_folded(syllable: str) -> bool:
    """Return whether a folded word can be a Vietnamese syllable without its accents."""
    return not _FOREIGN_LETTER.search(syllable) and _FOLDED.fullmatch(syllable) is not None
