"""What runs in GitHub Actions beside a run: comments, issues, annotations, outputs; started by `cli/ci*.py`."""
