-- Lost datasets of which no successor is known.
INSERT INTO unplaced (loss_id, dataset_id, title, organization, first_seen_at)
SELECT loss.id, dataset.id, dataset.title, organization.name, dataset.first_seen_at
  FROM unseen
  JOIN loss ON loss.dataset_id = unseen.dataset_id AND loss.state IN ('withheld', 'suspected', 'confirmed')
  JOIN dataset ON dataset.id = unseen.dataset_id
  JOIN organization ON organization.id = dataset.organization_id
 WHERE loss.moved_to_id IS NULL;
