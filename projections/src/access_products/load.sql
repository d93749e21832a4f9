SELECT to_jsonb(t)::text FROM access_products t WHERE t.id = ANY($1) OR t.subject_id = ANY($2)
