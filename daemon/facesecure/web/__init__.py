"""The page: a web server that shows what the daemon answers (``app.web_api``). It keeps no data and no key."""
