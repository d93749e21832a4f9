INSERT INTO projections.swaps (id, name, version_before, version_after, checkpoint, rows_before, rows_after, root_before, root_after, differences)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
