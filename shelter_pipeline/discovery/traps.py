"""Addresses that lead nowhere or everywhere: calendars, sorted and filtered views, circles of paths, actions.

What is a trap is told from the URL alone, by tables. A page or directory that is one is
never asked for. Of files only those count whose request changes something or asks for a
login; a file behind a filter is still a file. Session ids say who asked and not what: they
are taken out, so that one thing has one URL.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_plus, urlsplit, urlunsplit

from shelter_pipeline.discovery.asset_kinds import kind_of_extension
from shelter_pipeline.discovery.classification_table import rules_in_use
from shelter_pipeline.discovery.classify import extension_of
from shelter_pipeline.discovery.known_places import Places
from shelter_pipeline.domain.urls import Url

# The path of what is done rather than read, by whole segments.
_ACTIONS = frozenset(
    """
    logout log-out log_out logoff signout sign-out sign_out delete unsubscribe unpublish add-to-cart addtocart
    report-abuse
    """.split()  # noqa: SIM905 - a table
)
_LOGIN_RULE = "login-page"
# Also names of data (the register of companies, the CART site): they count at the end of a path only.
_AT_THE_END = {
    "action": frozenset({"remove", "cart", "basket", "checkout", "vote"}),
    "login": frozenset({"register", "signup", "sign-up", "sso"}),
}
_PRINTS = frozenset({"printable", "printpdf", "print-friendly", "sendtofriend", "email-this"})
_SHARES = frozenset({"sharer", "sharer.php", "addthis", "tweet"})
_CALENDARS = frozenset({"calendar", "calendars", "event", "events", "agenda", "kalender", "calendario"})
_DATE_BELOW = re.compile(r"/(?:19|20)[0-9]{2}[-/](?:0?[1-9]|1[0-2])(?:[-/][0-3]?[0-9])?/?\Z")

# key of the query -> slug. A key with `=value` counts only with that value.
_KEYS = {
    "calendar": "month ical tribe-bar-date eventdate calendar_view calmonth calyear",
    "sort": "sort sortby sort_by sortorder sort_order orderby order_by order c;o",
    "filter": "filter filters facet facets refine res_format license_id vocab_ f fq",
    "print": "print printable printer format=print view=print output=print display=print mode=print",
    "share": "share replytocom sharer shared email_this",
    "action": "add-to-cart add_to_cart remove_item action=delete action=edit action=logout action=remove do=logout"
    " do=delete op=delete logout delete action=history cmd=delete",
}
_SLUG_OF_KEY = {key: slug for slug, keys in _KEYS.items() for key in keys.split()}
_MOST_PARAMETERS = 30
_ENCODED_AGAIN = re.compile(r"%25(?:25){2}", re.IGNORECASE)
_KEY_WITH_INDEX = re.compile(r"\[[^\]]*\]?\Z")

# A sequence of up to three segments three times in a row; short ones and numbers are how tiles and shards are named.
_REPEATS = 3
_LONGEST_CIRCLE = 3
_SHORTEST_ALONE = 3
_DEEPEST = 60  # nobody keeps anything deeper than that

_SESSION_KEYS = frozenset(
    """
    jsessionid phpsessid cfid cftoken sessionid session_id osession zenid oscsid asp.net_sessionid
    """.split()  # noqa: SIM905
)
# These also name stations, series and sites: a session only if the value looks like one.
_PERHAPS_SESSION = frozenset({"sid", "s", "session", "sess", "psid"})
_LOOKS_LIKE_SESSION = re.compile(r"(?=[0-9a-z]*[0-9])(?=[0-9a-z]*[a-z])[0-9a-z]{24,128}\Z", re.IGNORECASE)
_TRACKING = re.compile(r"(?:utm_[a-z]{1,20}|fbclid|gclid|msclkid|_ga|mc_cid|mc_eid)\Z", re.IGNORECASE)
_IN_PATH = re.compile(
    r";(?:jsessionid|phpsessid|sid|cfid|cftoken)=[^/;?#]{0,200}|/\((?:[A-Z]\([0-9a-z]{10,60}\)){1,3}\)(?=/)",
    re.IGNORECASE,
)


def is_trap(url: Url) -> str:
    """The slug of the trap that a page or directory is: calendar, sort, filter, circle, action …; empty if none.

    Directories of FTP servers are made by nobody but people: only circles are looked for.
    """
    segments = _segments(url)
    circle = "circle" if _goes_in_circles(segments) else ""
    if url.scheme == "ftp":
        return circle
    return is_act(url) or _slug_of_path(url.path, segments) or _slug_of_query(_query(url)) or circle


def is_act(url: Url) -> str:
    """`action` or `login` if asking for the URL would change something or ask who we are; empty if not.

    A path that ends as a file of a known kind is a file, whatever the folders above it are called.
    """
    if url.scheme == "ftp":
        return ""
    if _slug_of_query(_query(url)) == "action":
        return "action"
    segments = _segments(url)
    if not segments or kind_of_extension(extension_of(url.path) or ""):
        return ""
    names = {segment.partition(";")[0] for segment in segments}
    for slug, words in (("action", _ACTIONS), ("login", _logins(rules_in_use().places))):
        if names & words or segments[-1] in _AT_THE_END[slug]:
            return slug
    return ""


@lru_cache
def _logins(places: Places) -> frozenset[str]:
    """The segments by which the table of places knows a page that asks who we are."""
    return frozenset(word for row in places.rows if row.rule == _LOGIN_RULE for word in row.segments)


def without_session(text: str) -> str:
    """The URL without session ids and marks of campaigns; as it was if it carries none."""
    if "?" not in text and ";" not in text and "/(" not in text:
        return text
    parts = urlsplit(text)
    path = _IN_PATH.sub("", parts.path) or "/"
    fields = parts.query.split("&") if parts.query else []
    kept = [field for field in fields if not _names_session(field)]
    if path == parts.path and len(kept) == len(fields):
        return text
    return urlunsplit((parts.scheme, parts.netloc, path, "&".join(kept), parts.fragment))


def _query(url: Url) -> str:
    return url.text.partition("?")[2]


def _segments(url: Url) -> list[str]:
    return [segment.lower() for segment in url.path.split("/") if segment]


def _names_session(field: str) -> bool:
    key, _, value = field.partition("=")
    name = key.lower()
    if name in _SESSION_KEYS or name.startswith("aspsessionid") or _TRACKING.match(name):
        return True
    return name in _PERHAPS_SESSION and _LOOKS_LIKE_SESSION.match(value) is not None


def _slug_of_path(path: str, segments: list[str]) -> str:
    names = set(segments)
    if names & _CALENDARS and _DATE_BELOW.search(path):
        return "calendar"
    if names & _PRINTS or segments[:1] == ["print"]:
        return "print"
    return "share" if names & _SHARES else ""


def _slug_of_query(query: str) -> str:
    if not query:
        return ""
    if _ENCODED_AGAIN.search(query):
        return "circle"
    pairs = query.replace(";", "&").split("&", _MOST_PARAMETERS)
    if len(pairs) > _MOST_PARAMETERS:
        return "filter"
    found = [slug for pair in pairs if (slug := _slug_of_pair(pair))]
    if {"C", "O"} <= {pair.partition("=")[0] for pair in pairs}:  # how Apache's listings are sorted
        found.append("sort")
    # What changes something counts before what only arranges.
    return "action" if "action" in found else found[0] if found else ""


def _slug_of_pair(pair: str) -> str:
    key, _, value = unquote_plus(pair).lower().partition("=")
    if key.startswith("vocab_") or key.endswith("_limit"):
        return "filter"
    if not value:
        return _SLUG_OF_KEY.get(key, "") if key in ("logout", "delete", "print") else ""
    indexed = _KEY_WITH_INDEX.search(key) is not None
    name = _KEY_WITH_INDEX.sub("", key) if indexed else key
    if name == "f" and not indexed:  # the format, nearly everywhere
        return ""
    return _SLUG_OF_KEY.get(name) or _SLUG_OF_KEY.get(f"{name}={value}", "")


def _goes_in_circles(segments: list[str]) -> bool:
    if len(segments) > _DEEPEST:
        return True
    for length in range(1, _LONGEST_CIRCLE + 1):
        for start in range(len(segments) - length * _REPEATS + 1):
            circle = segments[start : start + length]
            if circle * _REPEATS == segments[start : start + length * _REPEATS] and _counts(circle):
                return True
    return False


def _counts(circle: list[str]) -> bool:
    return any(len(segment) >= _SHORTEST_ALONE and not segment.isdecimal() for segment in circle) or (
        len(circle) > 1 and not all(segment.isdecimal() for segment in circle) and len(set(circle)) > 1
    )
