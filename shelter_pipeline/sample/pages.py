"""The web pages of the sample: landing pages, Apache's directory listing, a login form, an error page.

Links on a landing page are what real ones are: navigation, a style sheet and an
elsewhere that no rescue should follow, and between them the files.
"""

from __future__ import annotations

import json
from html import escape
from pathlib import PurePosixPath
from urllib.parse import unquote

from shelter_pipeline.sample.content import content_of, kind_of
from shelter_pipeline.sample.faults import Spot
from shelter_pipeline.sample.site import Site

ELSEWHERE = "http://elsewhere.invalid/mirror/all-flights.csv"
_NAVIGATION = (
    '<nav><a href="/">Home</a> <a href="/pages/about.html">About</a> '
    '<a href="/pages/contact.html">Contact</a> <a href="#main">Skip</a> '
    '<a href="mailto:opendata@sample.invalid">Write to us</a></nav>'
)


def _page(title: str, body: str, head: str = "") -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<link rel="stylesheet" href="/pages/site.css">{head}</head>\n<body>{body}</body></html>\n'
    )


def _name(path: str) -> str:
    return unquote(PurePosixPath(path).name)


def plain_page(title: str, text: str) -> str:
    """A page with a heading, a paragraph and the site's navigation."""
    return _page(title, f"{_NAVIGATION}<h1>{escape(title)}</h1><p>{escape(text)}</p>")


def landing_page(site: Site, spot: Spot) -> str:
    """A page about a dataset: its files as links, and in schema.org's words as JSON-LD."""
    items = "".join(
        f'<li><a href="{escape(path)}">{escape(_label(site, path))}</a></li>'
        for path in (*spot.links, *spot.children)
    )
    files = f"<h2>Files</h2><ul>{items}</ul>" if items else "<p>Data are handed out on request by mail.</p>"
    mirror = f'<p>A mirror is kept by others: <a href="{ELSEWHERE}">all-flights.csv</a>.</p>'
    body = (
        f'{_NAVIGATION}<main id="main"><h1>{escape(spot.title)}</h1>{files}</main>{mirror if items else ""}'
    )
    return _page(spot.title, body, _structured(site, spot))


def _label(site: Site, path: str) -> str:
    """What a link says: the title of what it leads to, or its name."""
    found = site.at(path)
    return (found.title if found else "") or _name(path)


def _structured(site: Site, spot: Spot) -> str:
    if not spot.structured:
        return ""
    downloads = [
        {"@type": "DataDownload", "encodingFormat": kind_of(path).media_type, "contentUrl": site.url(path)}
        for path in (*spot.links, *spot.structured)
    ]
    data = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": spot.title,
        "distribution": downloads,
    }
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'


def listing_page(site: Site, spot: Spot) -> str:
    """A directory as Apache's mod_autoindex shows it with FancyIndexing: sort links, parent, sizes, dates."""
    title = f"Index of {unquote(spot.path).rstrip('/')}"
    parent = f"{PurePosixPath(spot.path).parent}/"
    spot = site.at(spot.target) or spot  # a link to a directory shows what that one holds
    rows = [f'<a href="{parent}">Parent Directory</a>                             -   ']
    rows += [_listing_row(f"{PurePosixPath(path).name}/", "  - ") for path in spot.children]
    for path in spot.links:
        found = site.at(path)
        size = content_of(found.path, found.size).size if found else 0
        rows.append(_listing_row(PurePosixPath(path).name, f"{size / 1024:.1f}K"))
    columns = (("N;O=D", "Name"), ("M;O=A", "Last modified"), ("S;O=A", "Size"), ("D;O=A", "Description"))
    head = "  ".join(f'<a href="?C={order}">{column}</a>' for order, column in columns)
    return (
        '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n'
        f"<html><head><title>{title}</title></head>\n<body><h1>{title}</h1>\n"
        f"<pre>{head}<hr>{chr(10).join(rows)}\n<hr></pre>\n"
        "<address>Apache/2.4.57 (Unix) Server at sample Port 80</address></body></html>\n"
    )


def _listing_row(reference: str, size: str) -> str:
    shown = unquote(reference)
    return f'<a href="{reference}">{shown}</a>{" " * max(24 - len(shown), 1)}2024-03-11 09:42  {size:>5}  '


def login_page() -> str:
    """A page that wants a user name and a password."""
    form = (
        '<form method="post" action="/pages/login"><label>User name <input name="user"></label>'
        '<label>Password <input type="password" name="password"></label><button>Sign in</button></form>'
    )
    return _page("Sign in", f"<h1>Sign in to download</h1>{form}")


def error_page(status: int, text: str) -> str:
    """What a proxy sends in place of an answer."""
    article = f"<article><h1>{status} {escape(text)}</h1></article>"
    return f"<!doctype html>\n<title>Site unavailable</title>\n{article}\n"
