SELECT size FROM log.tree_heads ORDER BY size
