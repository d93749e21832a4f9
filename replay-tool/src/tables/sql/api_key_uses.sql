SELECT format('API key %s was used, and the log does not know it', u.key_id)
FROM log.api_key_uses u
WHERE NOT EXISTS (SELECT FROM log.events e WHERE e.stream_id = u.key_id AND e.category = 'api_key')
  AND $1::integer[] IS NOT NULL AND $2::bytea[] IS NOT NULL
LIMIT 1
