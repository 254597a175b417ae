"""The parts of the `shelter` command, one group of subcommands a module, and how they print.

Each parses, calls one operation and prints what it returned; with `--json` standard
output holds the result and nothing else.
"""
