-- COPY takes no parameters; it reads these.
SELECT set_config('hilt.from', $1, false), set_config('hilt.to', $2, false)
