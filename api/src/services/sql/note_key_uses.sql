-- $1 keys, $2 when each was used. Several processes note the same key: whoever comes within a minute after another writes nothing.
INSERT INTO log.api_key_uses AS u (key_id, last_used_at)
SELECT key_id, used_at FROM unnest($1::uuid[], $2::bigint[]) AS noted (key_id, used_at)
ON CONFLICT (key_id) DO UPDATE SET last_used_at = excluded.last_used_at
WHERE excluded.last_used_at - u.last_used_at >= 60000000
