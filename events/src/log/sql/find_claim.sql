SELECT category, stream_id FROM log.claims WHERE scope = $1 AND key = $2
