-- Makes the row on first use.
INSERT INTO projections.subscriptions AS s (name) VALUES ($1)
ON CONFLICT (name) DO UPDATE SET name = s.name
RETURNING checkpoint
