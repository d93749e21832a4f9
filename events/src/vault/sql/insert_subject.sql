INSERT INTO log.subject_keys (subject_id, owner_id, wrapped, created_at) VALUES ($1, $2, $3, $4)
