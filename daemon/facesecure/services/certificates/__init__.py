"""The certificates of the page: an authority of the household, and a certificate for this machine that it signs."""
