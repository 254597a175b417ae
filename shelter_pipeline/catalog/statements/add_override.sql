-- An operator's word on what comes first, of one target; it stands until it ends or is revoked.
INSERT INTO override (action, amount, organization_id, dataset_id, asset_id, host, who, why, until)
VALUES (:action, CAST(:amount AS float), CAST(:organization_id AS bigint), CAST(:dataset_id AS bigint),
        CAST(:asset_id AS bigint), CAST(:host AS text), :who, :why, CAST(:until AS timestamptz))
RETURNING id;
