SELECT note FROM log.tree_heads ORDER BY size DESC LIMIT 1
