"""The OpenAPI document as one page of HTML, complete in itself: no script, nothing from elsewhere, nothing to trust."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from shelter_pipeline.api.contract import operations

DOCS_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
_DEEPEST = 4
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --muted: #777; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 6rem; }
h1 { margin: 0; } h2 { margin: 2.5rem 0 .5rem; text-transform: capitalize; } h4 { margin: 1rem 0 .25rem; }
p { margin: .4rem 0; } .muted { color: var(--muted); font-size: .9em; }
code, pre { font: .875em/1.45 ui-monospace, monospace; }
pre { background: var(--soft); padding: .75rem; overflow-x: auto; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .4rem 0; }
details > div { padding: 0 1rem 1rem; border-top: 1px solid var(--line); }
summary { padding: .5rem .75rem; cursor: pointer; overflow-wrap: anywhere; }
summary .muted { margin-left: .75rem; }
.method { display: inline-block; min-width: 3.6rem; font-weight: 700; } .lock { font-size: .85em; }
.get { color: #1a7f37; } .post { color: #0969da; } .put, .patch { color: #9a6700; } .delete { color: #cf222e; }
table { border-collapse: collapse; width: 100%; }
td { padding: .25rem .5rem .25rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
td:first-child { white-space: nowrap; }
nav a { margin-right: 1rem; }
"""


def docs_page(document: Mapping[str, Any], base_url: str) -> str:
    """The page, its examples below `base_url`. Everything from the document and the caller is escaped."""
    info = document["info"]
    groups: dict[str, list[str]] = {}
    for path, method, operation in operations(document):
        group = (operation.get("tags") or ["more"])[0]
        groups.setdefault(group, []).append(_operation(document, base_url, path, method, operation))
    links = "".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in groups)
    sections = "".join(
        f'<h2 id="{escape(name)}">{escape(name)}</h2>{"".join(parts)}' for name, parts in groups.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])} API <span class=muted>{escape(info['version'])}</span></h1>"
        f"<p>{escape(info.get('summary', ''))}</p>{_prose(info.get('description', ''))}"
        f'<p class=muted>The same for programs: <a href="/openapi.json">/openapi.json</a></p>'
        f"<nav>{links}</nav>{sections}</body></html>"
    )


def _operation(
    document: Mapping[str, Any], base_url: str, path: str, method: str, operation: Mapping[str, Any]
) -> str:
    lock = " <span class=lock title='needs a token'>&#128274;</span>" if operation.get("security") else ""
    head = (
        f"<summary><span class='method {method}'>{method.upper()}</span> <code>{escape(path)}</code>{lock}"
        f"<span class=muted>{escape(operation.get('summary', ''))}</span></summary>"
    )
    body = "".join(
        (
            _prose(operation.get("description", "")),
            _parameters(document, operation),
            _body(document, operation),
            f"<h4>Try it</h4><pre>{escape(_curl(document, base_url + path, method, operation))}</pre>",
            _responses(document, operation),
        )
    )
    return f"<details>{head}<div>{body}</div></details>"


def _parameters(document: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    rows = [
        (
            f"{one['name']}{' *' if one.get('required') else ''}",
            f"{one['in']}, {_kind(document, one.get('schema', {}))}",
            one.get("description") or one.get("schema", {}).get("description", ""),
        )
        for one in operation.get("parameters", ())
    ]
    return _table("Parameters", rows)


def _body(document: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    schema = _json_of(operation.get("requestBody", {}))
    if schema is None:
        return ""
    schema = _resolved(document, schema)
    required = schema.get("required", ())
    rows = [
        (f"{name}{' *' if name in required else ''}", _kind(document, one), one.get("description", ""))
        for name, one in schema.get("properties", {}).items()
    ]
    return _table("Body (JSON)", rows)


def _responses(document: Mapping[str, Any], operation: Mapping[str, Any]) -> str:
    parts = ["<h4>Answers</h4>"]
    for status, response in operation["responses"].items():
        schema = _json_of(response)
        if schema is not None and not str(schema.get("$ref", "")).endswith("Failure"):
            shown = json.dumps(_example(document, schema), indent=2, ensure_ascii=False)
            parts.append(
                f"<p><b>{escape(status)}</b> {escape(response['description'])}</p><pre>{escape(shown)}</pre>"
            )
    others = [
        f"{status} {response['description']}"
        for status, response in operation["responses"].items()
        if str((_json_of(response) or {}).get("$ref", "")).endswith("Failure")
    ]
    parts.append(f"<p class=muted>or a failure: {escape(', '.join(others))}</p>")
    return "".join(parts)


def _curl(document: Mapping[str, Any], url: str, method: str, operation: Mapping[str, Any]) -> str:
    words = ["curl"]
    if method != "get":
        words += ["-X", method.upper()]
    if operation.get("security"):
        words.append('-H "Authorization: Bearer $TOKEN"')
    schema = _json_of(operation.get("requestBody", {}))
    if schema is not None:
        example = json.dumps(_example(document, schema))
        words.append(f"-H 'Content-Type: application/json' -d '{example}'")
    required = [
        one for one in operation.get("parameters", ()) if one["in"] == "query" and one.get("required")
    ]
    query = "&".join(f"{one['name']}=…" for one in required)
    words.append(f"'{url}{'?' + query if query else ''}'")
    return " ".join(words)


def _json_of(part: Mapping[str, Any]) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = part.get("content", {}).get("application/json", {}).get("schema")
    return found


def _resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = document["components"]["schemas"].get(name, {}) if name else schema
    return found


def _kind(document: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """What a value may be, in a few words."""
    if "anyOf" in schema:
        return " or ".join(_kind(document, one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "$ref" in schema:
        resolved = _resolved(document, schema)
        return _kind(document, resolved) if "enum" in resolved else schema["$ref"].rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {_kind(document, schema.get('items', {}))}"
    bounds = ", ".join(
        f"{word} {schema[name]}"
        for name, word in (
            ("minimum", "from"),
            ("maximum", "to"),
            ("maxLength", "at most"),
            ("default", "default"),
        )
        if schema.get(name) is not None
    )
    return f"{schema.get('type', 'anything')}{f' ({bounds})' if bounds else ''}"


def _example(document: Mapping[str, Any], schema: Mapping[str, Any], depth: int = 0) -> Any:
    """A value of this schema: what it gives as an example, or the simplest that fits."""
    schema = _resolved(document, schema)
    for given in (*schema.get("examples", ()), *([schema["example"]] if "example" in schema else [])):
        return given
    if depth > _DEEPEST:
        return "…"
    kind = schema.get("type", "")
    if kind == "object":
        fields = schema.get("properties", {}).items()
        return {name: _example(document, one, depth + 1) for name, one in fields}
    if kind == "array":
        return [_example(document, schema.get("items", {}), depth + 1)]
    if "anyOf" in schema:
        return _example(document, schema["anyOf"][0], depth + 1)
    simplest = {"integer": 1, "number": 1.0, "boolean": True, "null": None}
    return schema["enum"][0] if "enum" in schema else simplest.get(kind, "text")


def _table(title: str, rows: list[tuple[str, str, str]]) -> str:
    if not rows:
        return ""
    lines = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(kind)}</td><td>{escape(words)}</td></tr>"
        for name, kind, words in rows
    )
    return f"<h4>{title}</h4><table>{lines}</table>"


def _prose(text: str) -> str:
    return "".join(f"<p>{_with_code(part)}</p>" for part in _paragraphs(text))


def _paragraphs(text: str) -> Iterator[str]:
    yield from (part.strip() for part in text.split("\n\n") if part.strip())


def _with_code(text: str) -> str:
    return "".join(
        f"<code>{escape(part)}</code>" if index % 2 else escape(part)
        for index, part in enumerate(text.split("`"))
    )
