SELECT slot FROM projections.slots WHERE name = $1 AND state = ANY($2) ORDER BY opened_at
