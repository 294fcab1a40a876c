"""Tests of results' places."""
