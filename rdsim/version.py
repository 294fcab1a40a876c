"""Which rdsim this is; the build reads it here, so an installation and a clone say the same."""

from __future__ import annotations

__all__ = ["VERSION"]

VERSION = "0.2.0"
"""As semantic versioning counts: docs/package.md says what a release may change."""
