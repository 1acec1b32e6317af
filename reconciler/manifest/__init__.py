"""Manifests: YAML files in git become documents, and live resources become YAML."""
