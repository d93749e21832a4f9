SELECT format('swap %s of %s is said to be certified, and the log has no such certificate', s.id, s.name)
FROM projections.swaps s
WHERE s.certified_in IS NOT NULL
  AND NOT EXISTS (SELECT FROM log.events e WHERE e.stream_id = s.certified_in AND e.category = 'recovery')
  AND $1::integer[] IS NOT NULL AND $2::bytea[] IS NOT NULL
LIMIT 1
