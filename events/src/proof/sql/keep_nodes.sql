INSERT INTO log.tree_nodes (level, index, hash)
SELECT $1, $2 + root.ordinal - 1, root.hash
FROM unnest($3::bytea[]) WITH ORDINALITY AS root (hash, ordinal)
ON CONFLICT DO NOTHING
