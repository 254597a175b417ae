-- What each node had given when that was last counted (`count_contributions`).
(SELECT one.*
   FROM summary,
        LATERAL jsonb_each(summary.body) AS each (node_id, counts),
        LATERAL jsonb_to_record(each.counts) AS one (id bigint, brought_files bigint, brought_bytes bigint,
                                                     copies_good bigint, bytes_good bigint, copies_claimed bigint)
  WHERE summary.name = 'contributions')
