SELECT coalesce(max(index) + 1, 0) FROM log.tree_nodes WHERE level = $1
