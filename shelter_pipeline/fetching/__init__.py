"""The only client of the open internet: the door, downloads, resume, politeness, and whether it is the thing.

The room promises that no socket is opened to an address the guard refuses, at any
redirect; that every transfer ends within its limits; and that a body is handed to the
vault as whole only if the reply's own framing, its encoding and the catalogue's
checksum agree that it is. Whatever a server does, the end is a verdict with a reason.
"""
