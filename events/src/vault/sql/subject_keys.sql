SELECT subject_id, wrapped FROM log.subject_keys WHERE subject_id = ANY ($1)
