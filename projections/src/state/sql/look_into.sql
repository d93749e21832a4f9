-- Puts a build's table on the search path, without holding the build still.
SELECT set_config('search_path', $1, true), set_config('TimeZone', 'UTC', true)
