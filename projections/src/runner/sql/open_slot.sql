SELECT projections.open_slot($1, $2, $3)
