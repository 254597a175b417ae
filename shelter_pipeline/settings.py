"""Every setting of Shelter, typed, with its unit in its name: the only reader of the environment.

Each field is read from `SHELTER_<FIELD>`. Nothing else in the package looks at
`os.environ`, and nothing is read at import: a process builds one `Settings` and
hands it down. `docs/how-to/settings.md` lists them; a test keeps the two equal.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import SettingsConfigDict

from shelter_pipeline.domain.errors import SetupError
from shelter_pipeline.domain.portal_headers import SECRET_PREFIX
from shelter_pipeline.settings_alerts import AlertSettings
from shelter_pipeline.settings_fleet import FleetSettings
from shelter_pipeline.settings_reports import ReportSettings
from shelter_pipeline.settings_sharing import Count, CsvNetworks, CsvPorts, Port, Seconds, SharingSettings
from shelter_pipeline.settings_upkeep import UpkeepSettings

_OTHERS_SECRETS = frozenset({"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "PGPASSWORD"})
_NOT_OURS = frozenset({"SHELTER_FIXTURES"})  # where the tests find real records


class Settings(AlertSettings, SharingSettings, FleetSettings, UpkeepSettings, ReportSettings):
    """What an operator can set. Every default works on one machine with nothing installed."""

    model_config = SettingsConfigDict(env_prefix="SHELTER_", extra="ignore", frozen=True)

    # Where things are
    home: Path = Field(Path(".shelter"), description="Folder of all state of the embedded system.")
    database_url: SecretStr | None = Field(
        None, description="URL of the catalog's PostgreSQL; unset starts the embedded server."
    )
    dagster_database_url: SecretStr | None = Field(
        None, description="URL of Dagster's own database, with driver: postgresql+psycopg2://…"
    )
    store: str = Field(
        "", description="The blob store: a folder, or s3://bucket/folder; empty means SHELTER_HOME/store."
    )
    store_reserve_bytes: Annotated[int, Field(ge=0)] = Field(
        1024**3,
        description="Room left free where files arrive, at most a twentieth of it; no file is begun below.",
    )
    scratch: Path | None = Field(
        None, description="Folder of files on their way to an S3 store; unset means SHELTER_HOME/scratch."
    )
    portal: str = Field(
        "datagov:https://catalog.data.gov",
        description="The default portal, KIND:URL; read by the nightly harvest.",
    )
    postgres_os_user: str = Field(
        "nobody", description="Account the embedded PostgreSQL runs as when Shelter runs as root."
    )

    # A store on S3; credentials come from where boto3 looks for them
    s3_endpoint_url: str = Field("", description="URL of the S3 server; empty means AWS.")
    s3_region: str = Field("", description="Region; empty means what AWS's own configuration says.")
    s3_path_style: bool | None = Field(
        None, description="Whether the bucket stands in the path; unset: yes for every server but AWS."
    )
    s3_connections: Count = Field(8, description="Objects sent or read at once.")
    s3_timeout_seconds: Seconds = Field(60, description="Longest silence of the server.")
    s3_max_attempts: Count = Field(5, description="Attempts of one request, with growing pauses.")

    # Ports and concurrency of `shelter up`
    bind_address: str = Field("127.0.0.1", description="Address the Dagster webserver listens on.")
    dagster_port: Port = Field(3000, description="Port of the Dagster webserver.")
    code_server_port: Port = Field(4266, description="Port of Dagster's code server, on loopback.")
    sample_port: Annotated[int, Field(ge=1, le=65532)] = Field(
        8765, description="First of the four ports of `shelter demo`'s sample portal, on loopback."
    )
    max_concurrent_runs: Count = Field(4, description="Dagster runs at once.")
    start_timeout_seconds: Seconds = Field(
        120, description="How long `shelter up` waits for each part to answer."
    )

    # Fetching: what one capture may take
    user_agent: str = Field(
        "Shelter/0.1 (public data rescue; +https://github.com/shelter-pipeline/shelter)",
        description="How we name ourselves to every host.",
    )
    allowed_networks: CsvNetworks = Field(
        (),
        description="CIDR list of private networks that may be dialled all the same (private portals, tests).",
    )
    allowed_ports: CsvPorts = Field(
        (), description="Ports that may be dialled; empty means every port but those of other protocols."
    )
    fetch_connect_timeout_seconds: Seconds = Field(20, description="Time to connect, TLS included.")
    fetch_head_timeout_seconds: Seconds = Field(
        60, description="Time from request to the end of the reply's head."
    )
    fetch_total_deadline_seconds: Seconds = Field(6 * 3600, description="Time one capture may take in all.")
    fetch_stall_window_seconds: Seconds = Field(
        60, description="Window over which the minimum rate is measured."
    )
    fetch_min_bytes_per_second: Count = Field(64, description="Slowest acceptable rate over the window.")
    fetch_max_bytes: Count = Field(200 * 1024**3, description="Largest file that is fetched, in bytes.")
    fetch_max_redirects: Annotated[int, Field(ge=0, le=50)] = Field(10, description="Redirects followed.")
    fetch_max_attempts: Count = Field(
        3, description="Requests for one file within one batch, resumes included."
    )
    fetch_retry_delay_seconds: Seconds = Field(
        1, description="First pause between attempts, doubled each time."
    )
    fetch_connections: Count = Field(
        100, description="Downloads at once within one batch, over all hosts; slow ones are counted apart."
    )
    fetch_lanes: Annotated[int, Field(ge=0, le=64)] = Field(
        0, description="Threads that move the bytes of a batch; 0 means one a core, and at most four."
    )
    fetch_stop_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        15, description="How long downloads under way may go on when the process is asked to end."
    )
    content_rules: Path | None = Field(
        None, description="TOML file of content rules that are laid over those that come with Shelter."
    )
    page_max_bytes: Count = Field(
        512 * 1024**2, description="Largest catalogue page or landing page that is read, in bytes."
    )

    # What comes first
    priority_weights: Path | None = Field(
        None, description="TOML file of weights, thresholds and threats, in place of the one with Shelter."
    )

    # Politeness
    host_connections: Count = Field(2, description="Downloads at once from one host.")
    host_delay_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        1.0,
        description="Least time between two requests to one public host; not for hosts in allowed_networks.",
    )
    robots: Literal["obey", "ignore"] = Field(
        "obey", description="Whether files are left alone that a robots.txt asks robots to leave alone."
    )

    # Discovery
    classification_rules: Path | None = Field(
        None,
        description="TOML file of kinds of files and known places that is laid over those that come with Shelter.",
    )
    discovery_max_pages: Count = Field(
        2000, description="Listings and pages read for one dataset, robots.txt not counted."
    )
    discovery_max_depth: Count = Field(8, description="How deep directories are followed.")
    discovery_max_hops: Annotated[int, Field(ge=0)] = Field(
        2, description="How many links between pages are followed from a dataset's own page."
    )
    discovery_max_files: Count = Field(
        100_000, description="Files that the places of one dataset may lead to."
    )
    discovery_max_bytes: Count = Field(
        10 * 1024**4, description="Bytes that these files may have together, as far as listings tell."
    )
    discovery_max_page_bytes: Count = Field(
        64 * 1024**2, description="Largest listing or page that is read for links, in bytes."
    )
    discovery_pages_per_run: Count = Field(
        20_000, description="Pages asked for by one discovery run; the rest waits."
    )
    discovery_run_seconds: Seconds = Field(
        2 * 3600, description="How long one discovery run may read; the rest waits."
    )
    discovery_shortest_hours: Seconds = Field(
        12, description="Shortest time until a place that changes is read again, in hours."
    )
    discovery_longest_days: Seconds = Field(
        30, description="Longest time until a place that does not change is read again, in days."
    )

    # Probing
    probes_per_run: Annotated[int, Field(ge=0)] = Field(
        20_000, description="Files that one run asks their servers about; 0 asks about none."
    )
    probe_shortest_hours: Seconds = Field(12, description="Least hours between two probes of one file.")
    probe_longest_days: Seconds = Field(30, description="Most days between two probes of one file.")

    # Claims and batches
    lease_seconds: Seconds = Field(600, description="How long a claim lives without a heartbeat.")
    batch_max_files: Count = Field(500, description="Files in one batch.")
    batch_max_bytes: Count = Field(
        5 * 1024**3, description="Expected bytes in one batch; a bigger file goes alone."
    )
    batch_min_files: Count = Field(
        20, description="A host with fewer files of one organization shares a mixed batch."
    )
    asset_max_attempts: Count = Field(
        8, description="Failures in a row after which one file rests for three days before it is tried anew."
    )
    batch_max_attempts: Count = Field(20, description="Runs of one batch before it waits for a person.")
    report_every_seconds: Seconds = Field(
        300, description="Least time between two reports on an organization that is being rescued."
    )

    # Harvests
    harvest_full_every_days: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        7,
        description="Nightly harvests read what changed, and everything when the last full one is older than this.",
    )
    harvest_overlap_hours: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        24, description="How far before the last seen change an increment begins to read."
    )
    harvest_resume_hours: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        48,
        description="How old a harvest that was broken off may be to be continued instead of started over.",
    )
    harvest_attempts: Count = Field(
        4, description="Requests for one catalogue page before the harvest ends there."
    )
    harvest_patience_seconds: Seconds = Field(
        300, description="How long a harvest waits for a database that is away."
    )
    harvest_group_records: Count = Field(5000, description="Records merged in one transaction.")
    harvest_max_lookups: Annotated[int, Field(ge=0)] = Field(
        2000,
        description="Datasets asked for one by one in one harvest, because a witness lists them and no page had them.",
    )
    ckan_window_packages: Count = Field(
        50_000, description="CKAN portals with more packages are read in windows of their change dates."
    )
    record_max_bytes: Count = Field(64 * 1024**2, description="Largest single catalogue record, in bytes.")
    source_records_per_run: Annotated[int, Field(ge=0)] = Field(
        500, description="Original records of rescued datasets that are asked for in one run."
    )
    datagov_gateway_url: str = Field(
        "https://api.gsa.gov/technology/datagov/v4",
        description="Gateway that catalog.data.gov is read through when there is a key for it.",
    )
    datagov_api_key: SecretStr | None = Field(
        None, description="api.data.gov key for that gateway; it goes to no other host."
    )

    # Losses
    loss_confirm_harvests: Count = Field(
        3,
        description="Complete harvests, or looks at a link, that must miss a thing before its loss is confirmed.",
    )
    loss_confirm_days: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        14, description="Days that a thing must have been missing before its loss is confirmed."
    )
    loss_breaker_fraction: Annotated[float, Field(gt=0, le=1)] = Field(
        0.1,
        description="Share of a portal's or organization's datasets that may vanish at once before we suspect a fault.",
    )

    @field_validator("allowed_networks", "api_trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        # Runs after the split below: of several such validators the last comes first.
        return tuple(ip_network(part) if isinstance(part, str) else part for part in value)

    @field_validator("allowed_networks", "allowed_ports", "api_trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator("user_agent")
    @classmethod
    def _fits_a_header(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("it must name us and say where to find us")
        if not (value.isascii() and value.isprintable()):
            raise ValueError("it must be printable ASCII")
        return value

    @field_validator(
        *("database_url", "dagster_database_url", "datagov_api_key", "api_pepper"),
        *("content_rules", "classification_rules", "priority_weights", "scratch", "s3_path_style"),
        *("node_folder", "node_token"),
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: Any) -> Any:
        return value or None

    @property
    def home_path(self) -> Path:
        """The home as an absolute path."""
        return self.home.expanduser().absolute()

    @property
    def scratch_path(self) -> Path:
        """The folder of files on their way to an S3 store."""
        return self.scratch.expanduser().absolute() if self.scratch else self.home_path / "scratch"

    @property
    def node_path(self) -> Path:
        """The folder of a volunteer's node."""
        return self.node_folder.expanduser().absolute() if self.node_folder else self.home_path / "node"

    @property
    def store_path(self) -> Path:
        """The folder of the local blob store."""
        return Path(self.store).expanduser().absolute() if self.store else self.home_path / "store"


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process. Raises SetupError naming each variable that cannot be used."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [
            f"SHELTER_{'_'.join(str(part) for part in problem['loc'][:1]).upper()}:"
            f" {problem['msg'].removeprefix('Value error, ')}{_shown(problem['loc'][:1], problem['input'])}"
            for problem in error.errors(include_url=False)
        ]
        raise SetupError("; ".join(lines), reason="bad-setting") from error


def _shown(place: tuple[int | str, ...], value: object) -> str:
    """What was given, unless it may be a secret."""
    field = Settings.model_fields.get(str(place[0])) if place else None
    return "" if field is not None and "SecretStr" in str(field.annotation) else f" (it is {value!r})"


def read_secret(name: str) -> str:
    """The secret `SHELTER_SECRET_<name>` of the environment. SetupError naming the variable if it is not there.

    Portals name the secrets that they need; the values stand nowhere but in the environment.
    """
    variable = f"{SECRET_PREFIX}{name.upper()}"
    value = os.environ.get(variable, "")
    if not value:
        raise SetupError(f"{variable} is not set, and a portal needs it", reason="bad-setting")
    return value


def environment_secrets() -> list[str]:
    """The secrets that stand in the environment beside the settings, which no log may hold."""
    return [
        text for name, text in os.environ.items() if name.startswith(SECRET_PREFIX) or name in _OTHERS_SECRETS
    ]


def misspelt_settings() -> list[str]:
    """A sentence for each `SHELTER_*` variable of the environment that no setting reads, with the nearest name."""
    known = [f"SHELTER_{name.upper()}" for name in Settings.model_fields]
    return [
        f"{name} is no setting of Shelter and has no effect"
        + (f"; did you mean {near[0]}?" if (near := get_close_matches(name, known, 1)) else "")
        for name in sorted(os.environ)
        if name.startswith("SHELTER_")
        and not name.startswith(SECRET_PREFIX)
        and name not in known
        and name not in _NOT_OURS
    ]
