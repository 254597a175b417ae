"""What to save first: signals become one score, and the score keeps its reasons.

Weights and vocabulary are data that an analyst edits (`weights.toml`), checked before
they are used. The arithmetic over all assets happens in the catalog, set by set; this
room says what the numbers mean and puts them into words.
"""
