-- Other nodes have reported what they got of these files: of nodes no further look is wanted. Our own is, whatever they said.
UPDATE testimony
   SET wanted = false
 WHERE asset_id = ANY (CAST(:asset_ids AS bigint[]))
   AND node_id <> :node_id
   AND finding = 'open'
   AND wanted;
