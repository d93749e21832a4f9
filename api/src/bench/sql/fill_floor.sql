-- What is there before, so that the indexes of both are as deep.
INSERT INTO log.floor SELECT * FROM log.events
