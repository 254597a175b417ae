"""A bundled portal with its files: one generated catalogue, spoken in three protocols over real HTTP.

300 datasets of 12 organizations, about 600 files and the faults that real portals have,
served from loopback so that the demo and the tests need no internet. Everything is a
function of the base URL: the same bytes on every machine and every Python. The room
keeps one more promise, and the demo stands on it: it knows, file by file, how a correct
rescue of it must end (`expectations`).
"""
