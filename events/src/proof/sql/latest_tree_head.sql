SELECT size, root, note, signed_at FROM log.tree_heads ORDER BY size DESC LIMIT 1
