SELECT next_position, recorded_at, frontier FROM log.head
