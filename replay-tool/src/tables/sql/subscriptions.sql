SELECT format('%s has handled position %s, which the log does not have', s.name, s.checkpoint)
FROM projections.subscriptions s
WHERE s.checkpoint >= (SELECT next_position FROM log.head) AND $1::integer[] IS NOT NULL AND $2::bytea[] IS NOT NULL
LIMIT 1
