UPDATE projections.subscriptions SET checkpoint = $3, moved_at = now() WHERE name = $1 AND checkpoint = $2
