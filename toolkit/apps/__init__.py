"""The workloads, one folder each: what is done with one task. They know no concurrency and no HTTP library."""
