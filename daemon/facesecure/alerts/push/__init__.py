"""Web Push: alerts to browsers, encrypted for each of them, through the push service that its maker runs."""
