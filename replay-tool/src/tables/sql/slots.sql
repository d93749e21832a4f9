SELECT format('build %s holds position %s, which the log does not have', s.slot, s.checkpoint)
FROM projections.slots s
WHERE s.checkpoint >= (SELECT next_position FROM log.head) AND $1::integer[] IS NOT NULL AND $2::bytea[] IS NOT NULL
LIMIT 1
