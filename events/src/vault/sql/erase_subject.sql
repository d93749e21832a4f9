WITH destroyed AS (
    UPDATE log.subject_keys SET wrapped = NULL, erased_at = $2 WHERE subject_id = $1 AND wrapped IS NOT NULL RETURNING subject_id
), forgotten AS (
    DELETE FROM log.subject_identities i USING destroyed d WHERE i.subject_id = d.subject_id
)
SELECT pg_notify($3, destroyed.subject_id::text) FROM destroyed
