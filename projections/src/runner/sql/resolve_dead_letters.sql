UPDATE projections.dead_letters SET resolved_at = now()
WHERE name = $1 AND version <= $2 AND position <= $3 AND resolved_at IS NULL
