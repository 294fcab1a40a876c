"""Questions asked of a problem that tables state: no scenario, no simulation; what is chosen are options."""

__all__: list[str] = []
