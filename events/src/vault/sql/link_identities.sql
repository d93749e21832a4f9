INSERT INTO log.subject_identities (owner_id, kind, blind, subject_id)
SELECT $1, wanted.kind, wanted.blind, $4
FROM unnest($2::text[], $3::bytea[]) AS wanted (kind, blind)
ON CONFLICT DO NOTHING
