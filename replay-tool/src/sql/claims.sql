SELECT scope, key, category, stream_id, position FROM log.claims
