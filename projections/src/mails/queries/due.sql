SELECT to_jsonb(t.id)::text FROM mails t
WHERE t.status = 'QUEUED' AND t.next_attempt_at <= $1
ORDER BY t.next_attempt_at, t.id
LIMIT $2
