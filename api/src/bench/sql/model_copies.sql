-- Each live read model with rows, and the statements that copy it out, make a bare table with the same columns and indexes, copy
-- into that, and drop it.
SELECT s.name,
       format('COPY %I.%I TO STDOUT (FORMAT binary)', s.slot, c.relname),
       format('CREATE TABLE log.%I (LIKE %I.%I INCLUDING INDEXES INCLUDING STORAGE)', 'floor_' || s.name, s.slot, c.relname),
       format('COPY log.%I FROM STDIN (FORMAT binary)', 'floor_' || s.name),
       format('DROP TABLE log.%I', 'floor_' || s.name)
FROM projections.slots s
JOIN pg_namespace n ON n.nspname = s.slot
JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind = 'r'
WHERE s.state = 'live'
ORDER BY s.name
