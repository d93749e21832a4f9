SELECT count(*) FROM fees t WHERE $1::uuid IS NULL OR t.owner_id = $1
