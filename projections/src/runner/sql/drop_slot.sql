SELECT projections.drop_slot($1)
