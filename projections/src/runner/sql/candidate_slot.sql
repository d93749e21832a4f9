SELECT slot, checkpoint FROM projections.slots WHERE name = $1 AND version = $2 AND state = 'candidate' ORDER BY opened_at DESC LIMIT 1
