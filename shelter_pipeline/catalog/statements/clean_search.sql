-- Words that wait to be put into their indexes are put there, so that searches need not read them one by one.
SELECT gin_clean_pending_list('ix_dataset_search_title'), gin_clean_pending_list('ix_dataset_search_document');
