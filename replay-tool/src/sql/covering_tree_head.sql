SELECT size FROM log.tree_heads WHERE size > $1 ORDER BY size LIMIT 1
