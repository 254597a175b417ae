"""Values and pure decisions: what a dataset record is, which URL may be asked, what a verdict leads to.

Nothing here reads a file, a socket, a clock, a setting or a framework, so every
decision can be tested as a function of values. Every other room imports this one.
"""
