-- A row that both halves find is taken once.
SELECT to_jsonb(t)::text FROM sandbox_sessions t WHERE t.id = ANY($1)
UNION ALL
SELECT to_jsonb(t)::text FROM sandbox_sessions t WHERE t.subject_id = ANY($2)
