"""One imaging library a file; each offers render(source, target, settings)."""
