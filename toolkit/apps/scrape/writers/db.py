"""SQLite under the suffix that many programs give it."""

from toolkit.apps.scrape.writers.sqlite import Appender, check_replaceable, write

__all__ = ["Appender", "check_replaceable", "write"]
