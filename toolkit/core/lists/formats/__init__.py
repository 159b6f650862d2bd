"""The formats of lists, one a file, each called as the suffix that it reads; what has no file here is text.

A file has one function:

    read(file: io.BufferedReader, url_column: str | None) -> Iterator[Entry]

It yields what can be used and what cannot (Entry.bad), and raises where nothing more can be read: UsageError if no
column holds URLs, RunStopped if the file is damaged. Messages begin with what is wrong; the caller puts the file's name
before them.
"""
