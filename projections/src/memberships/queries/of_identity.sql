-- The expression is the index's.
SELECT to_jsonb(m)::text FROM memberships m
WHERE m.owner_id = $1 AND m.livemode
  AND lower(ltrim(m.identity_value, '@')) = lower(ltrim($2, '@')) AND m.identity_value = $2
ORDER BY m.id
LIMIT 100
