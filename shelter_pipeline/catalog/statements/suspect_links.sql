-- A link that a resource still lists and that leads to nothing, or to a page in place of the file, is suspected lost;
-- not for a look that was known when a person dismissed the same suspicion.
INSERT INTO loss (portal_id, asset_id, kind, suspected_at, last_missed_at, evidence)
SELECT look.portal_id, look.asset_id, look.kind, look.finished_at, look.finished_at,
       jsonb_build_object('reason', look.reason, 'status', look.status, 'final_url', look.final_url,
                          'held', look.held, 'captures', jsonb_build_array(look.capture_id))
  FROM look
 WHERE look.kind IS NOT NULL
   AND look.portal_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM loss
                    WHERE loss.asset_id = look.asset_id
                      AND (loss.state IN ('withheld', 'suspected', 'confirmed')
                           OR (loss.state = 'dismissed' AND loss.decided_at >= look.finished_at)))
    ON CONFLICT DO NOTHING
RETURNING kind;
