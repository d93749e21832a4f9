INSERT INTO log.secrets (id, kind, wrapped, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (id, kind) DO UPDATE SET wrapped = EXCLUDED.wrapped, created_at = EXCLUDED.created_at
