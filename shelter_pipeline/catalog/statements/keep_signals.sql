-- The signals of datasets that are not what they were.
UPDATE dataset_signal
   SET organization_id = staged.organization_id, popularity = staged.popularity, threat = staged.threat,
       dead_links = staged.dead_links, relevance = staged.relevance, completeness = staged.completeness,
       modified = staged.modified
  FROM staged_signal AS staged
 WHERE dataset_signal.dataset_id = staged.dataset_id;
