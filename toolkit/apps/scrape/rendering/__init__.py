"""A browser for pages that need their scripts: found, started once for a process, and kept from the network."""
