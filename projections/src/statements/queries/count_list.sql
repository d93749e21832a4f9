SELECT count(*) FROM statements t WHERE ($1::text IS NULL OR t.source = $1) AND ($2::text IS NULL OR t.account = $2)
