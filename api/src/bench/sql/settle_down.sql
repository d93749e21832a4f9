-- What filling left to be written is written now, and not while it is measured.
CHECKPOINT
