SELECT level, index, hash FROM log.tree_nodes ORDER BY level, index
