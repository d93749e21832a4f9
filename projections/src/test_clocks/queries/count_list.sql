SELECT count(*) FROM test_clocks t
WHERE t.owner_id = $1 AND NOT t.deleted
