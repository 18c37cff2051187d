"""What facesecure consists of: its locked packages, their vulnerabilities and licences, a bill of materials.

Run by ``make audit``, ``make sbom`` and ``docs/generate.py``; no part of the daemon.
"""
