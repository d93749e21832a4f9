DELETE FROM log.secrets WHERE kind = ANY($1) AND created_at < $2
