"""Every code block of every page is run, on stand-ins small enough for a test."""
