"""Build the Debian package: ``make deb``. ``build.sh`` makes it of what the modules here and ``scripts`` provide."""
