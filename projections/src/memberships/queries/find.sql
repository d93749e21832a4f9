SELECT to_jsonb(m)::text FROM memberships m
WHERE m.owner_id = $1 AND m.id = $2
