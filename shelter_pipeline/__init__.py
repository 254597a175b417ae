"""Shelter: finds, prioritises, fetches, preserves and proves public data before it disappears."""
