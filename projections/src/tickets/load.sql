SELECT to_jsonb(t)::text FROM tickets t WHERE t.id = ANY($1) OR t.subject_ids && $2
