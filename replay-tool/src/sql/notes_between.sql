SELECT size, note FROM log.tree_heads WHERE size BETWEEN $1 AND $2 ORDER BY size
