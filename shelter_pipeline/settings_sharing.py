"""The settings of what is shared with others: the HTTP API, the nodes that help, and a node of one's own.

A part of `Settings`, which is what the package reads; the types that settings are made of are here too.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode

from shelter_pipeline.domain.node_versions import is_version

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Port = Annotated[int, Field(ge=1, le=65535)]
CsvNetworks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode]
CsvPorts = Annotated[tuple[Port, ...], NoDecode]


_LEAST_PEPPER_CHARACTERS = 16


class SharingSettings(BaseSettings):
    """What an operator can set of the API and of nodes, and a volunteer of a node."""

    # The HTTP API
    api_bind_address: str = Field("127.0.0.1", description="Address the HTTP API listens on.")
    api_port: Port = Field(8000, description="Port of the HTTP API.")
    api_statistics_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        60,
        description="Age at which counts of the whole catalog are made anew; later where counting takes long.",
    )
    api_public_url: str = Field(
        "", description="URL under which callers reach the API; empty means the one that each request names."
    )
    api_writes: Literal["auto", "token"] = Field(
        "auto",
        description="Who may write: auto lets whoever is on this machine, if the API listens on loopback alone.",
    )
    api_registration: Literal["open", "invite"] = Field(
        "open", description="Who may register a node: everybody, or who has a token of scope register."
    )
    api_pepper: SecretStr | None = Field(
        None,
        description="Secret under which tokens are hashed; unset, a file of SHELTER_HOME that is made once.",
    )
    api_trusted_proxies: CsvNetworks = Field(
        (), description="CIDR list of proxies whose X-Forwarded-For is believed."
    )
    api_max_body_bytes: Count = Field(1024**2, description="Largest body of a request, uploads apart.")
    api_max_headers: Count = Field(100, description="Most headers of one request.")
    api_head_seconds: Seconds = Field(10, description="Time for the head of a request to arrive.")
    api_body_seconds: Seconds = Field(15, description="Time for the body of a request to arrive.")
    api_idle_seconds: Seconds = Field(
        15, description="How long a connection may stay open between two requests."
    )
    api_answer_seconds: Seconds = Field(
        15, description="How long an answer may take to begin once the request is there."
    )
    api_statement_seconds: Seconds = Field(5, description="How long the catalog may take over one statement.")
    api_upload_min_bytes_per_second: Count = Field(
        4096, description="Slowest acceptable rate of an upload, over fifteen seconds."
    )
    api_max_connections: Count = Field(1000, description="Connections open at once.")
    api_live_listeners: Count = Field(
        200, description="Pages that are told live what goes on, at once; the others ask now and then."
    )
    api_access_log: bool = Field(
        default=True, description="Whether `shelter api` writes a line of JSON for each request."
    )
    api_reads_per_second: Count = Field(120, description="Reads of one caller, on average.")
    api_writes_per_second: Count = Field(50, description="Writes of one caller, on average.")
    api_burst: Count = Field(150, description="Reads, and writes, that one caller may ask for at once.")
    api_requests_at_once: Count = Field(
        16, description="Requests of one caller that are worked on at once; the others wait."
    )

    # Nodes
    min_node_version: str = Field(
        "0.1.0",
        description="Oldest version of the node's program that may write; an older one is told to update.",
    )
    nodes_per_network_a_day: Count = Field(
        20, description="Nodes that may join uninvited from one network within a day."
    )

    # Volunteers' nodes: what their word counts for
    node_uploads: bool = Field(
        True, description="Whether nodes are asked to send what they fetched, where we do not hold it."
    )
    node_upload_max_bytes: Count = Field(
        10 * 1024**3, description="Largest file that a node is asked to send, in bytes."
    )
    node_upload_hours: Seconds = Field(
        12, description="Hours that a node has to send a file; large files get more, at 128 KiB a second."
    )
    node_open_uploads: Count = Field(
        50, description="Files that one node may owe us at once; of more it is not asked to send any."
    )
    node_uploads_at_once: Count = Field(8, description="Uploads that are received at the same time.")
    quorum_nodes: Annotated[int, Field(ge=2, le=20)] = Field(
        2, description="Independent nodes whose word together counts like our own look."
    )
    challenge_days: Seconds = Field(
        30, description="Days between two challenges of a trusted node's copy; new nodes get more."
    )
    challenge_answer_days: Seconds = Field(7, description="Days that a node has to answer a challenge.")
    challenges_per_run: Annotated[int, Field(ge=0)] = Field(
        5000, description="Challenges that one run sets, over all nodes; 0 sets none."
    )
    challenges_per_node: Count = Field(100, description="Challenges that one node may have open at once.")
    confirm_first: Annotated[int, Field(ge=0)] = Field(
        20, description="A node's first files, which are all fetched a second time by somebody else."
    )
    confirm_least_share: Annotated[float, Field(ge=0, le=1)] = Field(
        0.05, description="Share of a trusted node's files that are fetched a second time, at the least."
    )

    # Work for nodes
    wanted_copies: Count = Field(
        3, description="Copies of a file that are wanted, ours included; nodes are asked for what is missing."
    )
    independent_fetches: Annotated[int, Field(ge=1, le=20)] = Field(
        1, description="Nodes that may fetch one file from its source at the same time."
    )
    node_max_claims: Count = Field(200, description="Files that one node may have claimed at once.")
    node_claim_hours: Seconds = Field(
        24,
        description="Most hours that heartbeats keep a file for a node; large files get more, at 128 KiB a second.",
    )
    new_node_max_claims: Count = Field(
        20, description="The same for a node that has not proved anything yet."
    )

    # A volunteer's node; each is an option of `shelter node run` as well
    node_api: str = Field("", description="Address of the API that the node helps.")
    node_space: str = Field("", description="Room given to the node, such as 50GB.")
    node_folder: Path | None = Field(None, description="Folder of the node; unset means SHELTER_HOME/node.")
    node_name: str = Field(
        "", description="Nickname of the node, shown to everybody; empty lets the API choose."
    )
    node_contact: str = Field("", description="How operators can reach the volunteer; shown to nobody else.")
    node_token: SecretStr | None = Field(
        None, description="Token of the node; unset, it is the one kept in the folder since it joined."
    )
    node_reserve: str = Field(
        "", description="Room left free on the disk, such as 10GB; empty means SHELTER_STORE_RESERVE_BYTES."
    )
    node_bandwidth: str = Field(
        "", description="Most that the node moves, such as 20Mbit; empty means no bound."
    )
    node_hours: str = Field(
        "", description="Local hours in which it works, such as 22-06; empty means always."
    )
    node_insecure: bool = Field(
        False, description="Whether the token may go over plain http to a host on the public internet."
    )

    @field_validator("api_pepper")
    @classmethod
    def _is_no_guess(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _LEAST_PEPPER_CHARACTERS:
            raise ValueError(f"it must have {_LEAST_PEPPER_CHARACTERS} characters or more")
        return value

    @field_validator("min_node_version")
    @classmethod
    def _is_version(cls, value: str) -> str:
        if not is_version(value):
            raise ValueError("it must be a version, like 0.2.0")
        return value

    @field_validator("api_public_url")
    @classmethod
    def _is_a_base(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s/?#@\"<>]+(/[^\s?#\"<>]*)?", value):
            raise ValueError(
                "it must be an http or https URL without query, such as https://data.example.org"
            )
        return value.rstrip("/")
