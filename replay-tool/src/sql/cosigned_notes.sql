SELECT cosignature.size, cosignature.witness, cosignature.key_id, cosignature.signed_at, cosignature.line, head.note
FROM log.cosignatures cosignature
LEFT JOIN log.tree_heads head ON head.size = cosignature.size
ORDER BY cosignature.size
