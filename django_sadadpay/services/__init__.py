"""One verb a file. Each reads, decides and commits; then calls Sadad; then locks, re-reads and applies."""
