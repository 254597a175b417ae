-- A node's trust.
SELECT trust FROM node WHERE id = :node_id;
