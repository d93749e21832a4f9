SELECT count(*) FROM memberships m
WHERE m.owner_id = $1 AND m.product_id = $2 AND $3 < m.current_period_end_at
  AND m.recorded_status <> 'REVOKED'
