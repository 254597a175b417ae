-- The day it is in UTC, by the one clock that decides.
SELECT CAST(now() AT TIME ZONE 'UTC' AS date) AS today;
