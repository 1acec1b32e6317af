"""What we own and what we last wrote: a small document without values, kept in a file or on a branch, never needed."""
