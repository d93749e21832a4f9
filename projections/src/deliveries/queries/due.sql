-- What was never tried has no time and comes first.
SELECT to_jsonb(t.id)::text FROM deliveries t
WHERE t.mode = $1 AND t.status IN ('PENDING', 'RETRY_SCHEDULED')
  AND (t.next_attempt_at IS NULL OR t.next_attempt_at <= $2)
  AND t.id <> ALL($3)
ORDER BY t.next_attempt_at NULLS FIRST, t.id
LIMIT $4
