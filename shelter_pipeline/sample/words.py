"""The texts the catalogue is made of: who publishes, what they measure, where, and how they say it."""

from __future__ import annotations

from dataclasses import dataclass

FEDERAL = "Federal Government"


@dataclass(frozen=True, slots=True)
class Publisher:
    """One organization: how many datasets it lists, and what they are about."""

    slug: str
    name: str
    kind: str
    datasets: int
    topics: tuple[str, ...]
    formats: tuple[str, ...]  # file name extensions, the usual ones first


PUBLISHERS = (
    Publisher(
        "noaa-gov",
        "National Oceanic and Atmospheric Administration",
        FEDERAL,
        80,
        (
            "Sea Surface Temperature",
            "Tide Gauge Water Level",
            "Coastal Bathymetry",
            "Storm Track",
            "Snow Depth",
            "Harmful Algal Bloom",
            "Ocean Carbon",
            "Drifting Buoy",
        ),
        ("nc", "csv", "zip", "xml"),
    ),
    Publisher(
        "nasa-gov",
        "National Aeronautics and Space Administration",
        FEDERAL,
        54,
        (
            "Cloud Fraction",
            "Aerosol Optical Depth",
            "Land Surface Reflectance",
            "Ice Sheet Elevation",
            "Solar Irradiance",
            "Ozone Profile",
            "Soil Moisture",
        ),
        ("nc", "csv", "parquet", "pdf"),
    ),
    Publisher(
        "census-gov",
        "U.S. Census Bureau",
        FEDERAL,
        43,
        (
            "Housing Unit Count",
            "Commuting Flow",
            "County Boundary",
            "Business Pattern",
            "Population Estimate",
            "Household Income",
        ),
        ("zip", "csv", "json", "geojson"),
    ),
    Publisher(
        "usgs-gov",
        "U.S. Geological Survey",
        FEDERAL,
        32,
        (
            "Streamflow",
            "Groundwater Level",
            "Earthquake Catalog",
            "Mineral Deposit",
            "Bird Banding",
            "Landslide Inventory",
        ),
        ("csv", "zip", "geojson", "xml"),
    ),
    Publisher(
        "epa-gov",
        "U.S. Environmental Protection Agency",
        FEDERAL,
        26,
        (
            "Air Quality Monitor",
            "Drinking Water Violation",
            "Toxic Release",
            "Facility Permit",
            "Beach Advisory",
        ),
        ("csv", "json", "zip", "pdf"),
    ),
    Publisher(
        "usda-gov",
        "Department of Agriculture",
        FEDERAL,
        18,
        ("Crop Progress", "Soil Survey", "Food Price", "Forest Inventory", "Pesticide Residue"),
        ("csv", "pdf", "zip", "json"),
    ),
    Publisher(
        "hhs-gov",
        "Department of Health and Human Services",
        FEDERAL,
        14,
        ("Hospital Capacity", "Immunization Coverage", "Nursing Home Inspection", "Overdose Mortality"),
        ("csv", "json", "xml"),
    ),
    Publisher(
        "doe-gov",
        "Department of Energy",
        FEDERAL,
        10,
        ("Wind Resource", "Building Energy Use", "Grid Outage", "Solar Radiation"),
        ("csv", "parquet", "zip"),
    ),
    Publisher(
        "dot-gov",
        "Department of Transportation",
        FEDERAL,
        9,
        ("Bridge Condition", "Transit Ridership", "Flight Delay"),
        ("csv", "geojson", "zip"),
    ),
    Publisher(
        "nps-gov",
        "National Park Service",
        FEDERAL,
        6,
        ("Visitor Count", "Trail Network", "Species Checklist"),
        ("csv", "geojson"),
    ),
    Publisher(
        "state-of-lakota",
        "State of Lakota",
        "State Government",
        4,
        ("Well Permit", "School Enrollment"),
        ("csv", "json"),
    ),
    Publisher(
        "city-of-riverton",
        "City of Riverton",
        "City Government",
        4,
        ("Street Tree", "Building Permit"),
        ("csv", "geojson"),
    ),
)

MEASURES = (
    "Observations",
    "Annual Summary",
    "Survey",
    "Inventory",
    "Station Records",
    "Grid",
    "Index",
    "Reports",
)
PLACES = (
    "Gulf Coast",
    "Upper Midwest",
    "Great Basin",
    "Chesapeake Bay",
    "Cascade Range",
    "Puerto Rico",
    "Ohio Valley",
    "North Slope",
    "High Plains",
    "Contiguous States",
    "Rio Grande",
    "Great Lakes",
)
PURPOSES = (
    "The series is used for planning, for models, and to answer questions from the public.",
    "Values are provisional for the last two years and are revised each spring.",
    "Stations that closed are kept, so that long records stay comparable.",
    "Methods changed in 2004; a column says which method gave a value.",
    "Gaps mean that an instrument was out of order, not that nothing happened.",
    "A codebook explains each column and its unit.",
)
KEYWORDS = (
    "monitoring",
    "open data",
    "time series",
    "stations",
    "geospatial",
    "public safety",
    "environment",
    "statistics",
    "baseline",
    "long-term record",
)
THEMES = ("Climate", "Geospatial", "Health", "Transportation", "Agriculture", "Ocean", "Local Government")
LICENSES = (
    "https://creativecommons.org/publicdomain/zero/1.0/",
    "https://www.usa.gov/government-works",
)
