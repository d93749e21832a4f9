SELECT id, kind, wrapped FROM log.secrets ORDER BY id, kind
