"""What a page shows, as data: sections of a study, tables of a plan, the small tables behind figures, documents."""

__all__: list[str] = []
