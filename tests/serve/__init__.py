"""Asking a run what if: levers, decisions, history, exports, and who may ask."""
