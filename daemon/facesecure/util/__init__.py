"""General helpers: durable file writes, clocks, backoff, and periodic tasks."""
