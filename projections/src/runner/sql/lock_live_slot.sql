SELECT slot, version, checkpoint FROM projections.slots WHERE name = $1 AND state = 'live' FOR UPDATE
