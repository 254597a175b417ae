"""The services of compose.yaml as ordinary processes of one machine, in the same topology.

For development and for tests where no container engine is at hand. What runs, with which
command, environment, order, health check and restart policy, is read from
`docker/compose.yaml`, so the two cannot drift apart; only what an image brings is replaced:
PostgreSQL by the one of the wheel, SeaweedFS by its wheel, Redis and nginx by the system's.

    python -m docker.native --scale worker=3

What is not the same: there is no isolation (every process may reach every other and the
internet), no read-only root, no limit of memory, and no image is built.
"""
