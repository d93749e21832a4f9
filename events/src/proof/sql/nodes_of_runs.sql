SELECT asked.place, node.hash
FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[]) AS asked (place, level, first, beyond)
CROSS JOIN LATERAL (
    SELECT index, hash FROM log.tree_nodes WHERE level = asked.level AND index >= asked.first AND index < asked.beyond
) node
ORDER BY asked.place, node.index
