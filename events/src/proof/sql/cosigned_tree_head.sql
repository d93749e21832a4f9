SELECT size, root, note, signed_at
FROM log.tree_heads
WHERE size = (SELECT max(size) FROM log.cosignatures WHERE size > $1)
