-- The words of a search in titles and descriptions, each between two characters that no text of ours has.
SELECT dataset.id,
       ts_headline('english', translate(left(dataset.title, 1000), :marks, ''),
                   CAST(:query AS tsquery),
                   'HighlightAll=true, ' || :options) AS title,
       ts_headline('english', translate(left(coalesce(dataset.description, ''), 2000), :marks, ''),
                   CAST(:query AS tsquery),
                   'MaxWords=32, MinWords=16, ' || :options) AS snippet
  FROM unnest(CAST(:ids AS bigint[])) AS wanted (id)
  JOIN dataset ON dataset.id = wanted.id;
