"""One machine of the fleet: it takes runs from the broker, says that it is alive, and gives back what it cannot end.

A run is one Celery task in a warm process. Which launcher hands runs out is a matter of
`dagster.yaml`: nothing outside this room, and nothing of what a run does, knows Celery.
"""
