-- Keys of places are the product and the number, with the unit separator between them.
SELECT split_part(key, E'\x1f', 2)::bigint
FROM log.claims
WHERE scope = 'place' AND key LIKE $1 || E'\x1f%'
