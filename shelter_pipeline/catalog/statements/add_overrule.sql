-- An operator's word, of one scope and one reason; it stands until it is revoked.
INSERT INTO overrule (action, reason, organization_id, dataset_id, asset_id, who, why)
VALUES (:action, :reason, CAST(:organization_id AS bigint), CAST(:dataset_id AS bigint), CAST(:asset_id AS bigint), :who, :why)
RETURNING id;
