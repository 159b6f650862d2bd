"""Scrape: rows from web pages, by rules, politely; a file of rows is whole at every moment, or grows by whole rows."""
