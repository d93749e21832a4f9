SELECT size, root, note FROM log.tree_heads ORDER BY size
