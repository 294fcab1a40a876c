"""What a page shows, as data: of a study a sheet, of a plan its tables; the small tables behind figures; documents."""

__all__: list[str] = []
