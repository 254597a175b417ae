"""What Shelter costs beside what others cost, measured in one run on one machine.

The promise of this room is that every number can be had again by one command, that all
contestants store the same rows, and that a goal that is not met is said to be not met.
Nothing here decides whether a test passes: time is printed, never asserted.
"""
