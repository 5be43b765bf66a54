"""Sync: only what is missing, asked of a provider, stored chunk by chunk."""
