"""The studies that come with rdsim, a module each, and the declarations of their commands (`commands`)."""

__all__: list[str] = []
