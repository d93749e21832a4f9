-- What was never tried has no time and comes first; what is taken back comes when it is due.
WITH handed AS (
    SELECT t.id, t.membership_id, t.next_attempt_at AS due_at FROM deliveries t
    WHERE t.mode = $1 AND t.status IN ('PENDING', 'RETRY_SCHEDULED')
      AND (t.next_attempt_at IS NULL OR t.next_attempt_at <= $2)
      AND t.id <> ALL($3)
    ORDER BY t.next_attempt_at NULLS FIRST, t.id
    LIMIT $4
), taken AS (
    SELECT t.id, t.membership_id, t.withdrawal_due_at AS due_at FROM deliveries t
    WHERE t.mode = $1 AND t.withdrawal_due_at <= $2
      AND t.id <> ALL($3)
    ORDER BY t.withdrawal_due_at, t.id
    LIMIT $4
)
SELECT jsonb_build_object('id', due.id, 'membership_id', due.membership_id)::text
FROM (SELECT * FROM handed UNION ALL SELECT * FROM taken) due
ORDER BY due.due_at NULLS FIRST, due.id
LIMIT $4
