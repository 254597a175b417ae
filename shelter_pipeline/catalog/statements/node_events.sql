-- Why a node is trusted as it is: the newest events first.
SELECT kind, asset_id, sha256, detail, trust_before, trust_after, happened_at
  FROM node_event
 WHERE node_id = :node_id
 ORDER BY id DESC
 LIMIT :limit;
