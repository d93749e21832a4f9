SELECT owner_id, wrapped IS NULL FROM log.subject_keys WHERE subject_id = $1
