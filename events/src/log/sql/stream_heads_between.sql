SELECT DISTINCT ON (category, stream_id) category, stream_id, version, leaf
FROM log.events
WHERE position >= $1 AND position < $2
ORDER BY category, stream_id, version DESC
