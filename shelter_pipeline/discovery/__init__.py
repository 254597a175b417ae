"""From what a portal says to the files that exist: URLs classified, directories and landing pages read.

Classification is a pure function over tables. Exploration asks only through the reader it
is handed, stays on the site it was sent to and within its budget, and always ends with an
outcome: assets with the path that led to each, or the reason why there are none.
"""
