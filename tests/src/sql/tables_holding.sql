SELECT table_schema || '.' || table_name
FROM information_schema.tables
WHERE table_type = 'BASE TABLE'
  AND table_schema NOT IN ('pg_catalog', 'information_schema')
  AND position($1::text IN query_to_xml(format('SELECT t::text FROM %I.%I AS t', table_schema, table_name), true, false, '')::text) > 0
ORDER BY 1
