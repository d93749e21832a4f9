-- The checkpoint of exactly that size, and the newest one.
SELECT size, root, note FROM log.tree_heads WHERE size = $1 OR size = (SELECT max(size) FROM log.tree_heads)
