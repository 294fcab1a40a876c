"""Charts of the data: the figures of a plan's page, and the plots of sheets. To import Altair takes a second."""

__all__: list[str] = []
