"""One use case a module, composed of the rooms: harvest, discover, score, plan, rescue, report.

Operations know no framework. Whatever starts them, a Dagster run, a command or a test,
gets the same result, and doing one again after a crash continues where the ledger
stands.
"""
