UPDATE log.head SET epoch = epoch + 1 RETURNING next_position, epoch, recorded_at, frontier
