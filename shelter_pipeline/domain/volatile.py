"""What changes in a portal's record though nobody has touched the dataset.

It is left out of a record's hash and of the differences between its versions: both must
know the same, or a change would be kept that shows nothing.
"""

from __future__ import annotations

from shelter_pipeline.domain.records import Json

# Beside what moves by itself, what the catalogue works out from the rest.
VOLATILE_IN_DATAGOV = frozenset(
    {
        "_score",
        "_sort",
        "distribution_titles",
        "harvest_record",
        "harvest_record_raw",
        "harvest_record_transformed",
        "has_download",
        "has_spatial",
        "last_harvested_date",
        "organization",
        "popularity",
        "spatial_centroid",
        "spatial_shape",
    }
)
# Views, followers, harvest runs, link checks.
VOLATILE_IN_CKAN = frozenset(
    {
        "archiver",
        "cache_last_updated",
        "metadata_modified",
        "num_followers",
        "organization",
        "qa",
        "relationships_as_object",
        "relationships_as_subject",
        "revision_id",
        "revision_timestamp",
        "score",
        "tracking_summary",
    }
)
_EXTRAS = frozenset({"harvest_job_id", "harvest_last_error", "harvest_object_id", "source_hash"})


def lasting_extras(extras: Json) -> Json:
    """CKAN's extras, in either of their forms, without those of harvest runs; anything else as it is."""
    if isinstance(extras, list):
        return [item for item in extras if not (isinstance(item, dict) and item.get("key") in _EXTRAS)]
    if isinstance(extras, dict):
        return {key: item for key, item in extras.items() if key not in _EXTRAS}
    return extras
