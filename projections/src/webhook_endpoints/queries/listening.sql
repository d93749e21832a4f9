-- One that is paused is told too: what it is told is kept for it.
SELECT to_jsonb(t)::text FROM webhook_endpoints t
WHERE t.owner_id = $1 AND t.livemode = $2 AND t.status <> 'disabled' AND t.subscribed_events ? $3
ORDER BY t.created_at, t.id
