"""An Adam optimiser whose beta1 varies, and schedules of learning rate and beta1."""
