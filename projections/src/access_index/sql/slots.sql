-- How far the live builds are, and the tables to read in the same snapshot.
SELECT name, version, checkpoint FROM projections.slots WHERE name = ANY($1) AND state = 'live'
