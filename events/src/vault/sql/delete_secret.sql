DELETE FROM log.secrets WHERE id = $1 AND kind = $2
