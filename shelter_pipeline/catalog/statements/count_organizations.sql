-- What this group of a harvest brought of each organization is added to what the groups before it brought.
INSERT INTO harvest_organization AS counted (harvest_id, organization_id, seen, new, changed, moved)
SELECT :harvest_id, organization_id, seen, new, changed, moved
  FROM unnest(CAST(:organization_ids AS bigint[]), CAST(:seen AS bigint[]), CAST(:new AS bigint[]),
              CAST(:changed AS bigint[]), CAST(:moved AS bigint[]))
       AS brought (organization_id, seen, new, changed, moved)
    ON CONFLICT (harvest_id, organization_id) DO UPDATE
   SET seen = counted.seen + excluded.seen, new = counted.new + excluded.new,
       changed = counted.changed + excluded.changed, moved = counted.moved + excluded.moved;
