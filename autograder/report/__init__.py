"""What people get to read: pages, tables, platforms' files. Sentences are made here, last, in the reader's language."""
