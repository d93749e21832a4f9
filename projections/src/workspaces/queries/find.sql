-- A merchant who was erased and came back has a row for each time; the last one counts.
SELECT to_jsonb(t)::text FROM workspaces t
WHERE t.owner_id = $1
ORDER BY t.position DESC
LIMIT 1
