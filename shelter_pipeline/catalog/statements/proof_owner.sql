-- Whose proof it is.
SELECT node.name FROM proof JOIN node ON node.id = proof.node_id WHERE proof.id = :proof_id;
