SELECT version, checksum FROM migrations.applied ORDER BY version
