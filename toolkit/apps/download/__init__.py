"""Download files: names from URLs, validated resume, nothing half-written under a final name."""
