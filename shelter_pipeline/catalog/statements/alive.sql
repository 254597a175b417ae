-- Whether the catalog answers, and knows its tables: one probe, however much it holds.
SELECT EXISTS (SELECT FROM portal) AS has_portals;
