-- What Stripe may have more to say of: subscriptions that have not ended, and checkouts that somebody may have completed.
SELECT to_jsonb(t)::text FROM workspace_billing t
WHERE t.id > $1 AND t.customer_id IS NOT NULL
  AND (t.subscription ->> 'status' NOT IN ('canceled', 'incomplete_expired') OR t.checkout_started_at > $2)
ORDER BY t.id
LIMIT $3
