"""What `shelter up` runs on one machine with nothing installed: a real PostgreSQL and Dagster's processes.

This room owns life cycles and nothing else. It keeps one promise: whatever is killed, in
whatever order, the next start on the same home continues with the same state, and a stop
leaves no process behind. It loosens no permission of a folder it did not make, listens on
nothing but loopback and private sockets unless told to, and never needs an internet.
"""
