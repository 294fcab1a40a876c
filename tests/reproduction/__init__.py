"""Runs checked against their own folders, and made again from them."""
