"""Pages: what is to be shown in, one HTML file out; and the process of its own that draws it."""

__all__: list[str] = []
