SELECT subject_id, wrapped FROM log.subject_keys WHERE wrapped IS NOT NULL ORDER BY subject_id
