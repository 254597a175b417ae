"""What servers, networks and disks do wrong, and what must come of it.

The faults are numbered, so that a test can be found by its fault (`pytest -k "A14-"`) and a
fault that nobody tests is missed: a letter for the group, a number for the row.

- A, framing: 1 short, 3 surplus, 4 no length, 5 chunks, 7 both framings, 10 empty, 13 control bytes, 14 huge
  heads, 15 broken connections
- B, encodings: 1 unasked, 2 cut, 3 false, 5 bombs
- C, time and size: 1 endless, 2 above the cap, 4 drips, 6 no answer
- D, addresses: 1 loopback, 2 private, 3 spellings, 7 metadata services, 8 mixed answers, 9 rebinding, 11 and 12
  redirects inside and out of HTTP, 14 redirects to nowhere, 17 odd URLs, 19 the environment
- E, content: 1 pages instead of files, 3 mismatches, 6 permanent statuses, 7 Retry-After, 8 server errors,
  10 equal bytes
- F, resume: 1 the rest, 2 all, 3 another range, 5 no strong validator
- G, disk: 1 kills (in `crash`), 3 no room, 9 racing writers, 10 rot
- H, names: 1 paths in names
- L, certificates: 1 bad ones

Behaviours of servers are in `support/fault_server.py` and `support/behaviours.py`. A test
that is marked to fail names what is missing; it fails loudly when that is there.
"""
