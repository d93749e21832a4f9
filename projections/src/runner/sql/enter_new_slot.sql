-- The table belongs to the service's group role, whichever of its members builds it.
SELECT set_config('search_path', $1, true), set_config('role', 'hilt_service', true)
