-- What a manifest says of a batch's captures: each of all its runs, those of killed ones too. With `manifest_assets`
-- and `manifest_datasets` it is enough to restore what the catalog knows of them.
SELECT asset.url, asset.kind, capture.verdict, capture.reason, capture.detail, capture.final_url, capture.status,
       capture.flags, capture.requests, capture.wire_bytes, capture.sha256, capture.size, blob.media_type,
       capture.started_at, capture.finished_at, capture.late, capture.token, CAST(capture.heads AS text) AS heads
  FROM capture
  JOIN asset ON asset.id = capture.asset_id
  LEFT JOIN blob ON blob.sha256 = capture.sha256 AND capture.verdict IN ('stored', 'unchanged')
 WHERE capture.batch_id = :batch_id
 ORDER BY capture.id;
