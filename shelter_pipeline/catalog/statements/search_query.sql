-- What is looked for, in the words that the index keeps, as the text of a query. The beginning of a word is looked for
-- as it is written and as its stem: stems are what is kept, and `bathy`, of which English makes `bathi`, begins `bathymetri`.
SELECT CAST(websearch_to_tsquery('english', :words)
            && CASE WHEN numnode(to_tsquery('english', :prefix)) = 0 THEN CAST('' AS tsquery)
                    ELSE to_tsquery('english', :prefix) || to_tsquery('simple', :prefix) END AS text) AS query;
