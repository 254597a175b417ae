"""What stands in place of a page is told from a page that only looks like it."""

from __future__ import annotations

import pytest

from shelter_pipeline.discovery.landing import read_landing
from shelter_pipeline.discovery.leads import What
from shelter_pipeline.domain.urls import parse_url
from shelter_pipeline.domain.verdicts import REASONS
from shelter_pipeline.fetching.content_table import content_rules, read_rules
from shelter_pipeline_tests.support.landing_replies import PAGE, page_reply, read_page

PASSWORD = '<form><input name="u"><input type="password" name="p"></form>'
LONG = "<p>" + "Rivers rise in the hills and end in the sea. " * 100


@pytest.mark.parametrize(
    "html",
    [
        f"<html><title>Sign in</title>{PASSWORD}",
        f"<html><title>Somewhere</title>{PASSWORD}",
        f"<html><title>Iniciar sesión</title>{PASSWORD}{LONG}",
        "<html><title>Log in to continue</title><p>Please choose your institution.",
        f'<html><form action="/idp/profile/SAML2/POST">{PASSWORD}',
        '<html><title>Sign in - Google Accounts</title><script src="/x.js"></script>',
        f'<html><title>Okta - Sign In</title>{PASSWORD}<a href="/help.pdf">Help</a>',
        "<html><title>Just a moment...</title><script>window._cf_chl_opt={}</script>",
        "<html><title>Attention Required! | Cloudflare</title><div id='cf-error-details'>Sorry</div>",
        '<html><iframe src="/_Incapsula_Resource?a=1"></iframe>',
        "<html><title>Human Verification</title><script>window.awsWafCookieDomainList=[];</script>",
        "<html><title>Access Denied</title>You don't have permission. Reference&#32;&#35;18.1",
    ],
)
def test_a_login_or_robot_check_is_a_wall(html: str) -> None:
    reading = read_page(html)

    assert (reading.what, reading.outcome, tuple(reading.leads)) == (What.LOGIN, "login-page", ())
    assert reading.detail


@pytest.mark.parametrize(
    "html",
    [
        f'<html><title>Rivers</title>{PASSWORD}<a href="/a.csv">Data</a>',
        f'<html><title>Sign in</title>{PASSWORD}<a href="/a.csv">Data</a>',
        f"<html><title>Rivers</title><h2>User login</h2>{PASSWORD}{LONG}",
        f"<html><title>Well log in Kansas</title>{LONG}",
        f'<html><title>Rivers</title>{PASSWORD}<a href="/get">Download data</a>',
        '<html><title>Rivers</title><script src="/cdn-cgi/challenge-platform/x.js"></script><a href="/r.pdf">R</a>',
        f'<html><title>Rivers</title><script src="/cdn-cgi/challenge-platform/x.js"></script>{LONG}',
        '<html><title>Hub</title><script>var u="login.microsoftonline.com"</script><a href="/x">Download</a>',
        '<html><title>Rivers</title><p>Rivers.<a href="/about">About</a>',
    ],
)
def test_a_page_with_the_signs_of_a_wall_and_something_behind_it_is_a_page(html: str) -> None:
    reading = read_page(html)

    assert (reading.what, reading.outcome) == (What.LANDING, "")


@pytest.mark.parametrize(
    ("final", "outcome"),
    [
        ("https://urs.earthdata.nasa.gov/oauth/authorize?client_id=x", "login-page"),
        ("https://sso.example.gov/idp/profile/SAML2/Redirect/SSO", "login-page"),
        ("https://www.example.gov/user/login?next=/data", "login-page"),
        ("https://www.example.gov/data/rivers/", ""),
    ],
)
def test_a_bare_page_where_a_redirect_to_a_login_ended_is_a_wall(final: str, outcome: str) -> None:
    assert read_page("<html><title>Welcome</title><p>Continue", final, asked=PAGE).outcome == outcome


@pytest.mark.parametrize(
    ("name", "value", "outcome"),
    [
        ("cf-mitigated", "challenge", "login-page"),
        ("x-amzn-waf-action", "captcha", "login-page"),
        ("x-amzn-waf-action", "count", ""),
    ],
)
def test_a_firewall_that_says_so_in_the_head_is_believed(name: str, value: str, outcome: str) -> None:
    assert read_page(f"<html><title>Hello</title>{LONG}", PAGE, (name, value)).outcome == outcome


@pytest.mark.parametrize(
    ("title", "outcome"),
    [
        ("Page not found", "not-found"),
        ("404 Not Found", "not-found"),
        ("Department of Rivers | Page Not Found", "not-found"),
        ("404 - File or directory not found.", "not-found"),
        ("Error 403: Forbidden", "forbidden"),
        ("Service Temporarily Unavailable", "server-error"),
        ("Site under maintenance", "server-error"),
        ("502 Bad Gateway", "server-error"),
        ("Rivers not found in the lowlands", ""),
        ("Rivers", ""),
        ("Sorry Creek", ""),
        ("", ""),
    ],
)
def test_an_error_that_calls_itself_200_has_the_reason_it_gives(title: str, outcome: str) -> None:
    reading = read_page(f"<html><title>{title}</title><p>Some words.")

    assert reading.outcome == outcome
    assert outcome == "" or outcome in REASONS


@pytest.mark.parametrize("content", ['<a href="/a.pdf">A</a>', '<a href="/get">Download data</a>', LONG])
def test_a_page_that_leads_somewhere_or_says_much_is_no_error_whatever_its_title(content: str) -> None:
    assert read_page(f"<html><title>Page not found</title>{content}").outcome == ""


@pytest.mark.parametrize(
    ("html", "outcome"),
    [
        ('<html><title>Hub</title><div id="root"></div><script src="/a.js"></script>', "landing-page-only"),
        ("<html><noscript>Enable JavaScript</noscript><script>go()</script>", "landing-page-only"),
        ('<html><script src="/a.js"></script><a href="/a.csv">A</a>', ""),
        ('<html><script type="application/ld+json">{"contentUrl": "/a.csv"}</script><script></script>', ""),
        (f'<html><script src="/a.js"></script>{LONG}', ""),
        ("<html><p>Nothing here", ""),
    ],
)
def test_an_empty_shell_of_scripts_says_that_it_is_one(html: str, outcome: str) -> None:
    reading = read_page(html)

    assert (reading.what, reading.outcome) == (What.LANDING, outcome)
    assert ("made by a script" in reading.detail) is bool(outcome)


def test_a_page_that_asks_for_patience_is_processing() -> None:
    reading = read_page("<html><title>Your file is being prepared</title><p>A moment, please.")

    assert (reading.what, reading.outcome) == (What.PROCESSING, "processing")


def test_an_operators_sign_counts_here_too() -> None:
    from_operator = {"sign": {"login-title": {"pattern": r"speak\ friend", "in": "titles"}}}
    builtin = {"sign": {name: {"pattern": one.pattern.pattern, "in": one.where} for name, one in _signs()}}
    rules = read_rules(builtin, from_operator, "a test")
    reply = page_reply("<html><title>Speak friend</title><p>and enter")

    assert read_landing(reply, parse_url(PAGE)).outcome == ""
    assert read_landing(reply, parse_url(PAGE), rules=rules).outcome == "login-page"


def _signs():
    return [(name, sign) for name, sign in content_rules().signs.items() if sign.pattern is not None]
