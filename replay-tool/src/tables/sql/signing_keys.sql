SELECT format('key %s is not named after its public part', k.kid)
FROM log.signing_keys k
WHERE k.kid <> left(encode(sha256(k.public), 'hex'), 16) AND $1::integer[] IS NOT NULL AND $2::bytea[] IS NOT NULL
LIMIT 1
