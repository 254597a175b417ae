-- How many blobs of a store come from nowhere that is known: no capture and no source record tells of them.
SELECT count(*)
  FROM copy
  JOIN store ON store.id = copy.store_id AND store.name = :store
 WHERE NOT EXISTS (SELECT FROM capture
                    WHERE capture.sha256 = copy.sha256 AND capture.verdict IN ('stored', 'unchanged'))
   AND NOT EXISTS (SELECT FROM source_record WHERE source_record.sha256 = copy.sha256);
