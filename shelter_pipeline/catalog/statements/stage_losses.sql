-- Empty staging tables that vanish with the transaction, whatever ends it.
CREATE TEMPORARY TABLE unseen (
    dataset_id bigint PRIMARY KEY, organization_id bigint, was_listed boolean, asked boolean, last_seen_by bigint
) ON COMMIT DROP;
CREATE TEMPORARY TABLE unplaced (
    loss_id bigint, dataset_id bigint, title text, organization text, first_seen_at timestamptz
) ON COMMIT DROP;
CREATE TEMPORARY TABLE unplaced_url (loss_id bigint, url text) ON COMMIT DROP;
