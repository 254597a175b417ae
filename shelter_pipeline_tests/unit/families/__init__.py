"""Families of known places, held against re-creations of what their APIs answer."""
