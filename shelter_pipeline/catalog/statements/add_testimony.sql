-- A node's word that a source sent these bytes, to be held against what somebody else gets.
INSERT INTO testimony (node_id, asset_id, capture_id, sha256, last_modified, began_at, wanted, finding, found_at)
VALUES (:node_id, :asset_id, :capture_id, :sha256, :last_modified, :began_at, :wanted, :finding,
        CASE WHEN :finding <> 'open' THEN now() END);
