"""What is derived from the catalog so that it can be read quickly: words of datasets, standings of organizations.

Nothing here is a source: all of it can be thrown away and made again.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSVECTOR

from shelter_pipeline.catalog.tables import document, metadata, moment

# Apart from `dataset`, so that a harvest writes no word of it. No foreign key: its check would lock every dataset, and
# datasets are never deleted.
dataset_search = sa.Table(
    "dataset_search",
    metadata,
    sa.Column("dataset_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("record_hash", sa.LargeBinary, nullable=False),  # of the record whose words these are
    sa.Column("title", TSVECTOR, nullable=False),  # its words alone, and the facets of `document`
    # Title A, keywords and organization B, publisher and themes C, description D; and as facets, which are no words,
    # `organization=ID`, `portal=ID` and `kind=WORD`.
    sa.Column("document", TSVECTOR, nullable=False),
    # New words wait in a list that every search reads; the refresh empties it, and so does the server when it is full.
    sa.Index(
        "ix_dataset_search_title",
        "title",
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 16384},
    ),
    sa.Index(
        "ix_dataset_search_document",
        "document",
        postgresql_using="gin",
        postgresql_with={"gin_pending_list_limit": 16384},
    ),
)

# Where the rescue of each organization stood when it was last counted.
organization_summary = sa.Table(
    "organization_summary",
    metadata,
    sa.Column("organization_id", sa.BigInteger, sa.ForeignKey("organization.id"), primary_key=True),
    sa.Column("verdict", sa.Text, nullable=False),
    *(
        sa.Column(name, sa.BigInteger, nullable=False)
        for name in (
            "datasets",
            "absent_datasets",
            "expected_files",
            "held_files",
            "held_bytes",
            "waiting_files",
            "resting_files",
            "undiscovered",
        )
    ),
    document("failed"),
    document("not_files"),
    moment("counted_at", now=True),
)

# Counts of the whole catalog by the name of the report they are for.
summary = sa.Table(
    "summary",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    document("body"),
    sa.Column("seconds", sa.Float, nullable=False),  # what counting took
    moment("counted_at", now=True),
)

# Captures by the hour in which they ended and their verdict. Those of ids that no transaction can add to any more are
# settled, and only ever added to; the others are counted anew every time.
throughput = sa.Table(
    "throughput",
    metadata,
    sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("settled", sa.Boolean, nullable=False),
    *(
        sa.Column(name, sa.BigInteger, nullable=False)
        for name in (
            "captures",
            "files",  # stored, in time
            "bytes",  # of these
            "wire_bytes",  # of all
        )
    ),
    sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),  # when the first of them ended
    sa.PrimaryKeyConstraint("hour", "verdict", "settled"),
)

# One row: how far captures are counted.
throughput_mark = sa.Table(
    "throughput_mark",
    metadata,
    sa.Column("one", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("counted_id", sa.BigInteger, nullable=False, server_default="0"),  # up to it all are settled
    # The newest there was, and a transaction before whose number all must have ended until it may be settled.
    sa.Column("seen_id", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("seen_before", sa.BigInteger, nullable=False, server_default="0"),
    moment("seen_at"),
    sa.Column("seconds", sa.Float, nullable=False, server_default="0"),  # what the last counting took
    moment("counted_at"),
    sa.CheckConstraint("one", name="one_row"),
)
