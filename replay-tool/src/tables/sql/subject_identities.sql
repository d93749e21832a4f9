SELECT format('an identity of subject %s is of another workspace, or he is erased', i.subject_id)
FROM log.subject_identities i
JOIN log.subject_keys k ON k.subject_id = i.subject_id
WHERE (k.owner_id <> i.owner_id OR k.erased_at IS NOT NULL) AND $1::integer[] IS NOT NULL AND $2::bytea[] IS NOT NULL
LIMIT 1
