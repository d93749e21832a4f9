SELECT id, frozen_time FROM test_clocks
