-- One blob that counts as held, with some of the files that have these bytes now and the datasets they are of: any
-- :most of them, for a popular blob is that of thousands. No row for bytes that a person has said are not the file,
-- unless another file has them.
SELECT blob.sha256, blob.size, blob.media_type, blob.first_stored_at,
       ARRAY(SELECT asset.url FROM asset WHERE asset.sha256 = blob.sha256 LIMIT :most) AS urls,
       ARRAY(SELECT DISTINCT member.dataset_id
               FROM (SELECT resource.dataset_id
                       FROM asset
                       JOIN asset_resource ON asset_resource.asset_id = asset.id
                       JOIN resource ON resource.id = asset_resource.resource_id
                      WHERE asset.sha256 = blob.sha256
                      LIMIT :most) AS member
              ORDER BY member.dataset_id) AS dataset_ids
  FROM blob
 WHERE blob.sha256 = :sha256
   AND (EXISTS (SELECT FROM asset WHERE asset.sha256 = blob.sha256)
        OR NOT EXISTS (SELECT FROM overruled_asset
                         JOIN overrule ON overrule.id = overruled_asset.overrule_id
                        WHERE overruled_asset.sha256 = blob.sha256
                          AND overrule.action = 'reject'
                          AND overrule.revoked_at IS NULL));
