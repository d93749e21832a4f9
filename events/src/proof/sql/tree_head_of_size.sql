SELECT size, root, note, signed_at FROM log.tree_heads WHERE size = $1
