SELECT kid, public, wrapped FROM log.signing_keys ORDER BY kid
