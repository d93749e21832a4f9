INSERT INTO migrations.applied (version, name, checksum) VALUES ($1, $2, $3)
