-- Of log.signing_keys an auditor may see what is public of it, which is what is asked.
SELECT CASE
    WHEN NOT has_schema_privilege(split_part($1, '.', 1), 'USAGE') THEN false
    ELSE has_table_privilege($1, 'SELECT') OR ($1 = 'log.signing_keys' AND has_column_privilege($1, 'public', 'SELECT'))
END
