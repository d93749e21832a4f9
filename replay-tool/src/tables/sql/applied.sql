SELECT format('migration %s was applied in another form than this program holds', a.version)
FROM migrations.applied a
WHERE NOT EXISTS (
    SELECT FROM unnest($1::integer[], $2::bytea[]) AS held (version, checksum)
    WHERE held.version = a.version AND held.checksum = a.checksum
)
LIMIT 1
