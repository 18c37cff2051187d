"""What several doors share through a PostgreSQL database: imported only where [hub] is on, and by its commands."""
