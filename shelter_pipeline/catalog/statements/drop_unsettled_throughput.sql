-- What was counted of captures that others may still have been joining: it is counted anew.
DELETE FROM throughput WHERE NOT settled;
