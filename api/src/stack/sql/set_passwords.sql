SELECT set_config('hilt.admin_password', $1, false), set_config('hilt.service_password', $2, false)
