"""URLs: which may be published, and which stand for the same page."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from w3lib.url import canonicalize_url, safe_url_string

MAX_LENGTH = 2_000
_MAX_ROUNDS = 4
"""Taking one thing off an odd address can lay the next one bare."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_BAD = re.compile(r"[\s\\<>\"^`{|}]")
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.(?!-)[a-z0-9_-]{1,63})+")
_OTHER_FACE = re.compile(r"^(?:www\d?|m|amp|mobile|mobi|wap|touch)\.(?=[^.]+\.)")
_AMP_PATH = re.compile(r"(?:/amp|\.amp)/*$|(?<=[^/])\.amp(?=\.html?$)", re.IGNORECASE)
_AMP_CACHE = re.compile(r"^/(?:amp/|[cvi]/)(s/)?(?=[^/]+\.[^/]+/)")
_TRACKING = re.compile(
    r"utm_\w*|pk_\w+|mtm_\w+|matomo_\w+|piwik_\w+|at_(?:medium|campaign|custom\d)|mc_[ce]id|mkt_tok|vero_(?:id|conv)"
    r"|oly_(?:anon|enc)_id|_hs(?:enc|mi)|hsctatracking"  # campaigns and newsletters
    r"|(?:fb|g|d|y|ms|tw|tt|gb|wb|sc)(?:cl|ra|bra)id|gclsrc|li_fat_id|igshid|igsh|mibextid|fb_\w+|_ga|_gl|cmpid|ocid|ito"
    r"|ncid|ref_?src|spm"  # advertisements and social networks
    r"|zarsrc|zalo_\w+|vne_\w+|vn_\w*source|share_from|share_id"  # Zalo and Vietnamese newspapers
    r"|amp|amp_\w+|outputtype",  # the accelerated page of the same article
    re.IGNORECASE,
)


def _split(url: str) -> tuple[str, str, str, str] | None:
    """Return scheme, host with port, path and query of an http(s) URL that is safe to print and follow."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or "@" in parts.netloc or not _HOST.fullmatch(host):
        return None
    if port is not None and port != (443 if parts.scheme == "https" else 80):
        host = f"{host}:{port}"
    return parts.scheme, host, parts.path, parts.query


def safe(value: object) -> str | None:
    """Return `value` as an ASCII http(s) URL, or None if it is anything else.

    Other schemes, credentials, hosts without a dot and more than 2,000 characters are refused.
    """
    if not isinstance(value, str):
        return None
    url = value.strip()
    if url.startswith("//"):
        url = "https:" + url
    if (
        len(url) > MAX_LENGTH
        or _CONTROL.search(url)
        or not url[:8].lower().startswith(("http://", "https://"))
    ):
        return None
    try:
        url = safe_url_string(url)
    except (ValueError, UnicodeError):
        return None
    return url if len(url) <= MAX_LENGTH and url.isascii() and not _BAD.search(url) and _split(url) else None


def host(url: str) -> str:
    """Return the host of a safe URL without the labels of its mobile and accelerated faces: the site."""
    parts = _split(url)
    name = "" if parts is None else parts[1].partition(":")[0]
    while (shorter := _OTHER_FACE.sub("", name)) != name:
        name = shorter
    return name


def _canonical_once(url: str) -> str | None:
    parts = _split(url)
    if parts is None:
        return None
    _, name, path, query = parts
    while name.endswith(".cdn.ampproject.org") or name.removeprefix("www.") == "google.com":
        inner = _AMP_CACHE.sub("", path)
        if inner == path:
            break
        name, _, path = inner.partition("/")
        path = "/" + path
    bare, _, port = name.lower().partition(":")
    while (shorter := _OTHER_FACE.sub("", bare)) != bare:
        bare = shorter
    site = f"https://{bare}{':' + port if port else ''}"
    kept = [p for p in query.split("&") if p and not _TRACKING.fullmatch(p.partition("=")[0])]
    try:
        normal = canonicalize_url(f"{site}{path}?{'&'.join(kept)}")
    except (ValueError, UnicodeError):
        return None
    path, mark, query = normal.removeprefix(site).partition("?")
    while (shorter := _AMP_PATH.sub("", path).rstrip("/")) != path:
        path = shorter
    result = site + path + mark + query
    return result if normal.startswith(site) and _split(result) else None


def canonical(url: str) -> str | None:
    """Return the one form in which two safe URLs of the same page are equal.

    https, the site's own host, no default port, tracking parameters, fragment or trailing slash, sorted
    query, one percent-encoding (w3lib), the page behind an AMP address. Only for comparison: it need not
    be an address that answers.
    """
    result: str | None = url
    for _ in range(_MAX_ROUNDS):
        before = result
        result = _canonical_once(before) if before is not None else None
        if result == before:
            break
    return result
