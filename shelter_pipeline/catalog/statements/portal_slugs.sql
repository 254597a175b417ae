-- Every portal, by its short name.
SELECT slug FROM portal ORDER BY slug;
