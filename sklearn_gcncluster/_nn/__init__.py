"""The networks. Only this package imports torch at module level; it is imported when networks are used."""
