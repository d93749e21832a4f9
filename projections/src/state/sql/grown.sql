-- Attestations say what the read models come to, and change none.
SELECT EXISTS (SELECT FROM log.events WHERE position > $1 AND category <> 'state')
