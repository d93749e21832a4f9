COPY log.events TO STDOUT (FORMAT binary)
