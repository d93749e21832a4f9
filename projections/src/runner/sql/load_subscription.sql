-- Makes the row on first use.
INSERT INTO projections.subscriptions AS s (name, checkpoint) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET name = s.name
RETURNING checkpoint
