"""The screens of the page. Each module has ``ROUTES``; ``app.py`` lists them."""
