"""The words of an alert, and the voices that say them."""
