-- The same columns and indexes, no checks, no triggers, no head.
CREATE TABLE log.floor (LIKE log.events INCLUDING INDEXES INCLUDING STORAGE)
