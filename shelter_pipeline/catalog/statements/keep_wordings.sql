-- The words that were found are kept with the record and the vocabulary that they were found in.
INSERT INTO dataset_signal (dataset_id, record_at, vocabulary, wording, topics)
SELECT dataset_id, record_at, :vocabulary, wording, topics FROM staged_wording
    ON CONFLICT (dataset_id) DO UPDATE
   SET record_at = excluded.record_at, vocabulary = excluded.vocabulary, wording = excluded.wording,
       topics = excluded.topics;
