-- How far captures are counted; what was seen is looked at anew only once it is settled, or it would never age.
UPDATE throughput_mark
   SET counted_id = :counted_id,
       seen_id = CASE WHEN seen_id <= :counted_id THEN :newest ELSE seen_id END,
       seen_before = CASE WHEN seen_id <= :counted_id THEN :newest_before ELSE seen_before END,
       seen_at = CASE WHEN seen_id <= :counted_id THEN now() ELSE seen_at END,
       seconds = CASE WHEN :is_done THEN :seconds ELSE seconds END,
       counted_at = CASE WHEN :is_done THEN clock_timestamp() ELSE counted_at END;
