SELECT name, slot, version, checkpoint FROM projections.slots WHERE state = 'live' ORDER BY name
