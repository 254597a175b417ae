-- What we hold of the files that a `loss` is of: `whole`, `part` or `nothing` of them, and how much that is.
(SELECT count(*) AS files, count(part.sha256) AS held_files,
        least(coalesce(sum(part.size) FILTER (WHERE part.sha256 IS NOT NULL), 0), 9223372036854775807)::bigint AS held_bytes,
        min(part.id) FILTER (WHERE part.sha256 IS NOT NULL) AS one_file,
        CASE WHEN count(part.sha256) = 0 THEN 'nothing'
             WHEN count(part.sha256) = count(*) THEN 'whole' ELSE 'part' END AS holding
   FROM (SELECT loss.asset_id AS id
         UNION
         SELECT asset_resource.asset_id
           FROM resource
           JOIN asset_resource ON asset_resource.resource_id = resource.id
          WHERE resource.dataset_id = loss.dataset_id) AS listed
   JOIN asset AS part ON part.id = listed.id)
