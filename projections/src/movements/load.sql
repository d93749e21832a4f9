-- It holds no personal data, so nothing is looked up by person.
SELECT to_jsonb(t)::text FROM movements t WHERE t.id = ANY($1) AND $2::uuid[] IS NOT NULL
