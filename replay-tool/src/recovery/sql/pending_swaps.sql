SELECT id, name, version_before, version_after, checkpoint, rows_before, rows_after, root_before, root_after, differences, swapped_at
FROM projections.swaps
WHERE certified_in IS NULL
ORDER BY swapped_at, id
