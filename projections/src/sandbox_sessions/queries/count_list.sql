SELECT count(*) FROM sandbox_sessions t
WHERE t.owner_id = $1 AND ($2::uuid IS NULL OR t.test_clock_id = $2)
