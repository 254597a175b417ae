-- Whether few or many are staged decides between an index and a whole table.
ANALYZE restored_asset, restored_state, restored_capture, restored_link;
