"""`shelter node`: what an operator sees of nodes and says of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shelter_pipeline.catalog.connection import Catalog
from shelter_pipeline.catalog.nodes import NewNode, find_node, know_node, register_node
from shelter_pipeline.commands.node import node_app
from shelter_pipeline.domain.errors import SetupError


def test_an_operator_lists_shows_caps_blocks_and_unblocks_nodes(
    catalog: Catalog, catalog_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_node(catalog, NewNode("blue-whale", contact="me@example.org\x1b[31m"))
    know_node(catalog, "node-123")
    monkeypatch.setenv("SHELTER_DATABASE_URL", catalog_url)
    monkeypatch.setenv("SHELTER_HOME", str(tmp_path))

    def shelter_node(*arguments: str) -> str:
        result = CliRunner().invoke(node_app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    assert [row["name"] for row in json.loads(shelter_node("list", "--json"))["nodes"]] == [
        "blue-whale",
        "node-123",
    ]
    shown = shelter_node("show", "blue-whale")
    assert "me@example.org" in shown
    assert "\x1b" not in shown

    shelter_node("caps", "blue-whale", "--max-claims", "5")
    blocked = json.loads(
        shelter_node("block", "blue-whale", "--why", "false hashes", "--who", "Ada", "--json")
    )
    node = find_node(catalog, "blue-whale")
    assert node is not None
    assert (node.max_claims, node.blocked, node.blocked_why) == (5, True, "false hashes")
    assert blocked == {"blocked": "blue-whale", "files_taken_back": 0}
    assert "blocked" in shelter_node("list")

    shelter_node("caps", "blue-whale", "--default")
    shelter_node("unblock", "blue-whale", "--who", "Ada")
    node = find_node(catalog, "blue-whale")
    assert node is not None
    assert (node.max_claims, node.blocked, node.blocked_why) == (None, False, None)
    events = json.loads(shelter_node("show", "blue-whale", "--json"))["events"]
    assert [(event["kind"], event["detail"]) for event in events] == [
        ("unblocked", "(Ada)"),
        ("blocked", "false hashes (Ada)"),
    ]

    for wrong, sentence in (
        (("show", "nobody"), "no node 'nobody'"),
        (("block", "nobody", "--why", "x"), "no node 'nobody'"),
        (("block", "blue-whale", "--why", " "), "say why"),
        (("unblock", "nobody"), "no node 'nobody'"),
        (("caps", "nobody", "--default"), "no node 'nobody'"),
        (("caps", "blue-whale"), "one of the two"),
    ):
        with pytest.raises(SetupError, match=sentence):
            CliRunner().invoke(node_app, wrong, catch_exceptions=False)
