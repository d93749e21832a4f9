SELECT key_id, last_used_at FROM log.api_key_uses WHERE key_id = ANY($1)
