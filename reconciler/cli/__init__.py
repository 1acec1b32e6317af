"""The command line: flags in, exit code out; the only place that prints and exits."""
