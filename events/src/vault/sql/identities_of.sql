SELECT subject_id, kind, blind FROM log.subject_identities WHERE subject_id = ANY($1)
