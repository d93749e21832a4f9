UPDATE projections.swaps SET certified_in = $2 WHERE id = ANY($1) AND certified_in IS NULL
