-- What this harvest has refused already of these identities, and for which field.
SELECT identifier, field, raw
  FROM refusal
 WHERE harvest_id = :harvest_id
   AND identifier = ANY (:identifiers);
