"""The files that a page about data leads to, and the few pages behind it that are worth asking.

Every way in which a page names a file ends as a statement (`statements`), and one rule
judges them all. A plain link stays on the page's own site; a file that the page itself
declares to be its data (JSON-LD, microdata, RDFa, `rel=item`) may stand anywhere, because
data often do. Nothing is a lead that would change something, ask for a login, or lead into
a trap. Each URL is given once, by its strongest statement.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from shelter_pipeline.discovery.asset_kinds import AssetKind, kind_named, kind_of_format
from shelter_pipeline.discovery.classify import Classification, Kind, classify, extension_of
from shelter_pipeline.discovery.data_words import ENOUGH, speaks_of_data
from shelter_pipeline.discovery.labels import one_line
from shelter_pipeline.discovery.leads import Lead, Reading, Reply, To, What
from shelter_pipeline.discovery.link_headers import links_in_head, links_in_set
from shelter_pipeline.discovery.page_scan import scan
from shelter_pipeline.discovery.sites import same_site
from shelter_pipeline.discovery.statements import STRENGTH, Means, Statement
from shelter_pipeline.discovery.traps import is_act, is_trap, without_session
from shelter_pipeline.discovery.walls import Sight, wall
from shelter_pipeline.domain.errors import RefusedError
from shelter_pipeline.domain.urls import MAX_URL_LENGTH, Url, join_url, parse_url
from shelter_pipeline.fetching.content import ContentRules
from shelter_pipeline.fetching.content_table import content_rules

LINKSET = "linkset"
MOST_FOLLOWED = 20

_FILES = (Kind.FILE, Kind.ARCHIVE)
# What a page says of itself in its own words of the data: these may stand on another site.
_DECLARING = frozenset({"json-ld", "microdata", "rdfa", "link-header", "linkset", "link"})
# A picture, a script or a feed behind a plain link belongs to the page, not to its data.
_NOT_DATA = frozenset({"image", "media", "web"})
_NOT_DATA_KINDS = frozenset({"feed"})
# Pictures that no browser shows are data.
_RASTERS = frozenset({"tif", "tiff", "jp2", "j2k", "sid", "ecw"})
_DATA_IN_FRAME = frozenset({"table", "archive", "geo", "scientific", "structured"})
_PLUMBING = frozenset(
    """
    sitemap.xml sitemap_index.xml opensearch.xml osd.xml manifest.json site.webmanifest browserconfig.xml robots.txt
    humans.txt security.txt ads.txt feed.xml rss.xml atom.xml index.xml wlwmanifest.xml license.txt
    """.split()  # noqa: SIM905 - a table
)
_NOT_A_REFERENCE = (
    "#",
    "javascript:",
    "mailto:",
    "tel:",
    "data:",
    "blob:",
    "about:",
    "sms:",
    "callto:",
    "file:",
)
_FILE_NAME = "."
# What a followed link is worth beside what its words are worth.
_DECLARED_WORTH = 20
_FTP_WORTH = 4
_CITED_WORTH = 1  # only where nothing better is found


@dataclass(slots=True)
class _Found:
    """What has been found so far."""

    base: str
    page: Url
    files: dict[str, Lead] = field(default_factory=dict)
    follows: dict[str, tuple[int, Lead]] = field(default_factory=dict)
    more: dict[str, Lead] = field(default_factory=dict)
    passed: Counter[str] = field(default_factory=Counter)


def read_landing(reply: Reply, url: Url, *, rules: ContentRules | None = None) -> Reading:
    """What the page at `url` leads to: files, strongest statement first, then at most 20 pages and directories.

    The page is LANDING, or LOGIN for a wall before it, or PROCESSING where it says that the
    file is being made. Sizes are estimates. Sources: schema.org, DCAT 3, RFC 8288, RFC 9264,
    the HTML Standard, FAIR Signposting. Raises RefusedError if the reply's own URL is none.
    """
    final = parse_url(reply.final_url)
    page = scan(reply.body, reply.head.get("content-type"))
    found = _Found(_base_of(page.base, final), final)
    statements = [*links_in_head(reply.head), *page.statements]
    _judge(statements, found)
    leads = tuple(_in_order(found))
    notes = (*page.notes, *_notes(found))
    standing = None
    if not any(_is_data(lead) for lead in found.files.values()):
        sight = Sight(page, reply.head, reply.body, url, final, is_bare=not leads)
        standing = wall(sight, rules or content_rules())
    if standing is not None:
        # What a wall links to is its own: terms of use, a help page.
        return Reading(standing.what, (), standing.outcome, standing.detail, notes=notes)
    return Reading(What.LANDING, leads, digest=_digest(leads), notes=notes)


def read_linkset(reply: Reply, url: Url) -> Reading:
    """What a link set (RFC 9264), to which a page referred, says of the files; as `read_landing` judges them.

    Raises PermanentError `wrong-type` for JSON that is no link set.
    """
    found = _Found(reply.final_url, url)
    _judge(links_in_set(reply.body, (reply.head.get("content-type") or "").lower()), found)
    leads = tuple(_in_order(found))
    return Reading(What.RECORD, leads, digest=_digest(leads), notes=tuple(_notes(found)))


def _base_of(reference: str, page: Url) -> str:
    """What references are resolved against: the page's `<base>` if it stays on the site, else the page."""
    try:
        base = join_url(page.text, reference) if reference else page
    except RefusedError:
        return page.text
    return base.text if same_site(base.host, page.host) else page.text


def _judge(statements: Iterable[Statement], found: _Found) -> None:
    for statement in statements:
        target = _target(statement, found)
        if target is not None:
            _place(statement, target, found)


def _target(statement: Statement, found: _Found) -> Url | None:
    """The URL that is meant, without a session id; None for what is no URL, or none that may be asked for."""
    reference = statement.reference[: MAX_URL_LENGTH + 1].strip()
    if not reference or reference.lower().startswith(_NOT_A_REFERENCE):
        return None
    try:
        written = join_url(found.base, "".join(reference.splitlines()).replace(" ", "%20").replace("\t", ""))
        target = parse_url(without_session(written.text))
    except RefusedError:
        return None
    if target.text != written.text:
        found.passed["session ids taken out of URLs"] += 1
    if target.text == found.page.text:
        return None
    if slug := is_act(target):
        found.passed[f"links passed over as {slug}"] += 1
        return None
    return target


def _place(statement: Statement, target: Url, found: _Found) -> None:
    """Put the link where it belongs, if anywhere."""
    is_elsewhere = not same_site(target.host, found.page.host)
    is_declared = statement.why in _DECLARING
    verdict = _classified(statement, target)
    if is_declared and "cite-as" in statement.relations:
        if is_elsewhere and verdict.kind is Kind.REPOSITORY:
            _follow(_lead(statement, target, To.PAGE, None), _CITED_WORTH, found)
        return
    if is_elsewhere and not (is_declared and statement.means is Means.FILE):
        found.passed["links to other sites"] += 1
        return
    if verdict.kind is Kind.SERVICE:
        found.passed["links to web services"] += 1
    elif is_declared and "linkset" in statement.relations:
        _follow(_lead(statement, target, To.PAGE, None, reader=LINKSET), _DECLARED_WORTH, found)
    elif verdict.kind in _FILES:
        if _is_file(statement, target, verdict):
            _keep(_lead(statement, target, To.FILE, kind_named(verdict.asset_kind)), found)
    elif "next" in statement.relations:
        if _continues(target, found.page) and not is_trap(target):
            lead = _lead(statement, target, To.MORE, None)
            found.more.setdefault(target.text, replace(lead, why="next-page"))
    else:
        _consider(statement, target, verdict, found, is_elsewhere=is_elsewhere)


def _classified(statement: Statement, target: Url) -> Classification:
    """The verdict on the target. A name that the page gives the file (`download="a.csv"`) is as good as a format."""
    declared = statement.declared
    if declared and statement.why == "download-attribute" and _FILE_NAME in declared and "/" not in declared:
        declared = extension_of(f"/{declared}")
    verdict = classify(target.text, format=declared, media_type=declared)
    if statement.why == "download-attribute" and verdict.kind is Kind.WEB_PAGE:
        return replace(verdict, kind=Kind.FILE)  # the browser would save it, whatever it is called
    return verdict


def _is_file(statement: Statement, target: Url, verdict: Classification) -> bool:
    """Whether something that is a file by rule is a file of the data."""
    kind = kind_named(verdict.asset_kind)
    if statement.means is not Means.ANYTHING and statement.why != "download-attribute":
        return kind is None or kind.family != "web"
    if target.path.rpartition("/")[2].lower() in _PLUMBING:
        return False
    if kind is None:
        return statement.why == "download-attribute" and not statement.in_frame
    if statement.in_frame and (kind.family not in _DATA_IN_FRAME or kind.slug == "calendar"):
        return False
    if kind.slug in _NOT_DATA_KINDS or kind.family == "web":
        return False
    return (
        kind.family not in _NOT_DATA
        or (extension_of(target.path) or "").lower() in _RASTERS
        or (statement.why != "download-attribute" and kind_of_format(statement.declared) is not None)
    )


def _consider(
    statement: Statement, target: Url, verdict: Classification, found: _Found, *, is_elsewhere: bool
) -> None:
    """Follow a page, directory or repository if what the page says of it is enough."""
    if is_trap(target) or "nofollow" in statement.relations:
        found.passed["links passed over as traps"] += 1
        return
    if statement.means is not Means.ANYTHING:
        # Elsewhere only what may be the file itself, not a site with pages of its own.
        if (
            not is_elsewhere
            or verdict.kind in (Kind.DIRECTORY, Kind.REPOSITORY)
            or verdict.rule == "no-extension"
        ):
            to = To.DIRECTORY if verdict.kind is Kind.DIRECTORY else To.PAGE
            _follow(_lead(statement, target, to, None), _DECLARED_WORTH + statement.means, found)
        return
    if statement.why != "anchor" or statement.in_frame or verdict.kind not in (Kind.DIRECTORY, Kind.WEB_PAGE):
        return
    if _is_above(target, found.page):
        return
    worth = speaks_of_data(statement.label, target.path, statement.hints)
    if target.scheme == "ftp":
        worth += _FTP_WORTH  # nobody puts anything but files on such a server
    if worth >= ENOUGH:
        is_directory = verdict.kind is Kind.DIRECTORY
        lead = _lead(statement, target, To.DIRECTORY if is_directory else To.PAGE, None)
        _follow(replace(lead, why="directory-link" if is_directory else "download-page"), worth, found)


def _is_above(target: Url, page: Url) -> bool:
    """Whether a link leads up to what the page is part of, as breadcrumbs do, or to the page itself."""
    if target.host != page.host or target.scheme == "ftp":
        return False
    above = target.path.rstrip("/")
    here = page.path.rstrip("/")
    is_view = here == above and not target.text.partition("?")[2]
    return is_view or (here != above and here.startswith(f"{above}/"))


def _continues(target: Url, page: Url) -> bool:
    """Whether a `next` link is of the same list: the same path with another query, or a page number below it."""
    if target.path.rstrip("/") == page.path.rstrip("/"):
        return True
    one, other = (_without_number(path) for path in (target.path, page.path))
    return one == other


def _without_number(path: str) -> str:
    head, _, last = path.rstrip("/").rpartition("/")
    if last.isdecimal() and head.rpartition("/")[2].lower() in ("page", "p", "pages"):
        return head.rpartition("/")[0]
    return path.rstrip("/")


def _lead(statement: Statement, target: Url, to: To, kind: AssetKind | None, reader: str = "") -> Lead:
    declared = None if statement.why == "download-attribute" else statement.declared
    kind = kind or (kind_of_format(declared) if to is To.FILE else None)
    is_media_type = bool(declared and "/" in declared and "://" not in declared)
    return Lead(
        target.text,
        to,
        statement.why,
        one_line(statement.label),
        asset_kind=kind.slug if kind else None,
        format=None if is_media_type else declared,
        media_type=declared if is_media_type else None,
        size=statement.size if to is To.FILE else None,
        checksum=statement.checksum if to is To.FILE else None,
        reader=reader,
    )


def _keep(lead: Lead, found: _Found) -> None:
    """Take a file in. Of two statements the stronger one stands, and the other adds what it lacks."""
    known = found.files.get(lead.url)
    if known is None:
        found.files[lead.url] = lead
        return
    strong, weak = sorted((known, lead), key=lambda one: STRENGTH.index(one.why))
    found.files[lead.url] = replace(
        strong,
        label=strong.label or weak.label,
        asset_kind=strong.asset_kind or weak.asset_kind,
        format=strong.format or weak.format,
        media_type=strong.media_type or weak.media_type,
        size=strong.size if strong.size is not None else weak.size,
        checksum=strong.checksum or weak.checksum,
    )


def _follow(lead: Lead, worth: int, found: _Found) -> None:
    known = found.follows.get(lead.url)
    if known is None or known[0] < worth:
        found.follows[lead.url] = worth, lead


def _in_order(found: _Found) -> Iterator[Lead]:
    """Files by the strength of what is said of them, the rest of the list, then what is to be followed, best first."""
    yield from sorted(found.files.values(), key=lambda lead: STRENGTH.index(lead.why))
    follows = [(worth, lead) for worth, lead in found.follows.values() if lead.url not in found.files]
    # A page that gives its files need not be looked up elsewhere.
    best = sorted(
        (one for one in follows if one[0] > _CITED_WORTH or not found.files), key=lambda one: -one[0]
    )
    more = [lead for lead in found.more.values() if lead.url not in found.files][:1]
    yield from more
    yield from (lead for _, lead in best[: MOST_FOLLOWED - len(more)])
    left = len(best) - (MOST_FOLLOWED - len(more))
    if left > 0:
        found.passed["pages and directories beyond the first 20"] = left


def _is_data(lead: Lead) -> bool:
    """Whether a file is more than a document, which the wall before a page may have too."""
    kind = kind_named(lead.asset_kind)
    return kind is None or kind.family != "document" or STRENGTH.index(lead.why) < STRENGTH.index("meta")


def _notes(found: _Found) -> Iterator[str]:
    return (f"{what}: {count}" for what, count in sorted(found.passed.items()))


def _digest(leads: tuple[Lead, ...]) -> bytes:
    """Of what is led to, whatever the order; empty for a page that leads nowhere."""
    urls = sorted(f"{lead.to} {lead.url}" for lead in leads)
    return hashlib.sha256("\n".join(urls).encode()).digest() if urls else b""
