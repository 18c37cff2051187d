"""How weights move: an Adam whose beta1 really varies, and schedules of learning rate and beta1."""
