SELECT wanted.ordinal, identities.subject_id
FROM unnest($2::text[], $3::bytea[]) WITH ORDINALITY AS wanted (kind, blind, ordinal)
JOIN log.subject_identities identities
  ON identities.owner_id = $1 AND identities.kind = wanted.kind AND identities.blind = wanted.blind
ORDER BY wanted.ordinal
