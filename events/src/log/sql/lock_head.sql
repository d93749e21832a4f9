SELECT next_position, epoch, recorded_at, frontier FROM log.head FOR UPDATE
