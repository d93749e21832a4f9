-- A connect looks through the places that a product's payments hold; LIKE with a prefix uses this under any collation.
CREATE INDEX claims_place ON log.claims (key text_pattern_ops) WHERE scope = 'place';
