"""Scrape: rows from web pages, by rules, politely; the output file is whole at every moment."""
