"""The only writer of rescued bytes: blobs named by their SHA-256, manifests beside them, and scrubbing.

The room promises that a blob is whole or absent, at every instant and after any crash;
that nothing is overwritten by other bytes and nothing is deleted; and that a store alone,
without any database, says what it holds and where it came from.
"""
