SELECT DISTINCT stream_id
FROM log.claims
WHERE scope = ANY ($1) AND (key = $2 OR right(key, length($2) + 1) = chr(31) || $2)
