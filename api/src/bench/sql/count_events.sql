SELECT next_position FROM log.head
