INSERT INTO log.tree_heads (size, root, note, signed_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
